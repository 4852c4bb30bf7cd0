import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toCells } from './cells.ts'
import { openMatrixClient } from './client.ts'
import { ROWS } from './expectations.ts'
import { toAll } from './fixtures/to-all.ts'
import { type House, openHouse, openUpstreams, type Upstreams } from './house.ts'
import { SCENARIOS } from './scenarios.ts'
import { SPOKEN, type Speaks } from './speaks.ts'
import { overHttp } from './wires.ts'

/** A gateway in front of a gateway: what the matrix promises of one holds for two, whatever they speak with each other. */

const ENDS = SPOKEN.filter(({ name }) => ['2025-06-18', '2025-11-25', '2026-07-28'].includes(name))
const BETWEEN = SPOKEN.filter(({ name }) => ['2025-11-25', '2026-07-28'].includes(name))

/** These arrive too, but in the way of the revision between the two: nobody behind it can tell how it was said before. */
const OWN_WAYS: ReadonlySet<string> = new Set(['structured', 'required', 'steps'])

for (const between of BETWEEN) {
  describe(`abuse-45: two gateways that speak ${between.name} with each other`, () => {
    let upstreams: Upstreams
    let inner: House
    let outer: House
    beforeAll(async () => {
      upstreams = await openUpstreams(ENDS)
      inner = await openHouse(upstreams.urls)
      outer = await openHouse({ inner: { url: inner.url, prefix: '', revision: between.name } })
    })
    afterAll(async () => {
      await outer.close()
      await inner.close()
      await upstreams.close()
    })

    for (const { title, feature, expected } of ROWS) {
      if (OWN_WAYS.has(feature)) continue
      // Tasks are made in between, too, where callers decide what becomes one.
      const makesTasks = feature === 'task' && between.traits.tasks === 'core'
      const toMaker = (server: Speaks) => (makesTasks && server.traits.tasks === 'none' ? between : server)
      const cells = toCells((client, server) => expected(client, toMaker(server)), ENDS, ENDS)
      for (const { client: speaks, server, wanted, sentence } of cells) {
        test(`${title}: ${sentence}`, async () => {
          const client = await openMatrixClient(speaks, overHttp(speaks, outer.url))
          try {
            const key = `${speaks.name}-${server.name}-${between.name}`
            const seen = await SCENARIOS[feature]?.({ client, server: server.name, key })
            expect(seen).toEqual(toAll(wanted))
            expect(client.faults).toEqual([])
            expect(upstreams.takeFaults()).toEqual([])
          } finally {
            await client.close()
          }
        })
      }
    }
  })
}
