import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toCells } from './cells.ts'
import { openMatrixClient } from './client.ts'
import type { MatrixClient } from './conversation.ts'
import { ROWS } from './expectations.ts'
import { toAll } from './fixtures/to-all.ts'
import { type House, openHouse, openUpstreams, type Upstreams } from './house.ts'
import { SCENARIOS } from './scenarios.ts'
import { overHttp } from './wires.ts'

/** Every client revision to every server revision through one gateway over HTTP, feature by feature. */

let upstreams: Upstreams
let house: House
beforeAll(async () => {
  upstreams = await openUpstreams()
  house = await openHouse(upstreams.urls)
})
afterAll(async () => {
  await house.close()
  await upstreams.close()
})

for (const { title, feature, expected } of ROWS) {
  describe(title, () => {
    for (const { client: speaks, server, wanted, sentence } of toCells(expected)) {
      test(sentence, async () => {
        const client: MatrixClient = await openMatrixClient(speaks, overHttp(speaks, house.url))
        try {
          const seen = await SCENARIOS[feature]?.({ client, server: server.name, key: `${speaks.name}-${server.name}` })
          expect(seen).toEqual(toAll(wanted))
          expect(client.faults).toEqual([])
          expect(upstreams.takeFaults()).toEqual([])
        } finally {
          await client.close()
        }
      })
    }
  })
}
