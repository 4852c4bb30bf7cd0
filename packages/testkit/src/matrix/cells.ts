import type { Expected, Row } from './expectations.ts'
import { SPOKEN, type Speaks } from './speaks.ts'

/** One place of a row: who speaks with whom, what is to come of it, and what its test is called. */
export interface RowCell {
  readonly client: Speaks
  readonly server: Speaks
  readonly wanted: Expected
  /** What the page cites. */
  readonly sentence: string
}

/** All of a row, or those of some clients and servers. */
export function toCells(expected: Row['expected'], clients = SPOKEN, servers = SPOKEN): readonly RowCell[] {
  return clients.flatMap((client) =>
    servers.map((server) => {
      const wanted = expected(client, server)
      return { client, server, wanted, sentence: `${client.name} client, ${server.name} server: ${wanted.sentence}` }
    }),
  )
}
