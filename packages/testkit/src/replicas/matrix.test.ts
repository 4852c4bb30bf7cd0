import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findRedis, type RedisServer, startRedis } from '../databases/redis.ts'
import { toCells } from '../matrix/cells.ts'
import { openMatrixClient } from '../matrix/client.ts'
import { ROWS } from '../matrix/expectations.ts'
import { toAll } from '../matrix/fixtures/to-all.ts'
import { openUpstreams, type Upstreams } from '../matrix/house.ts'
import { SCENARIOS } from '../matrix/scenarios.ts'
import { overHttp } from '../matrix/wires.ts'
import { openReplicas, type Replicas } from './houses.ts'

/** The matrix through three gateways, with every request landing on any of them: nobody is the wiser. */

const program = findRedis()
/** One request and its answer, which never leave the gateway that they reach. */
const ONE_ANSWER: ReadonlySet<string> = new Set(['completion', 'structured', 'content', 'errors', 'big'])

describe.skipIf(program === undefined)('three gateways behind a balancer', () => {
  let redis: RedisServer
  let upstreams: Upstreams
  let replicas: Replicas
  beforeAll(async () => {
    redis = await startRedis(program ?? '')
    upstreams = await openUpstreams()
    replicas = await openReplicas(upstreams.urls, redis.url, { seed: 20_261_122 })
  })
  afterAll(async () => {
    await replicas.close()
    await upstreams.close()
    await redis.close()
  })

  for (const { title, feature, expected } of ROWS) {
    if (ONE_ANSWER.has(feature)) continue
    describe(title, () => {
      for (const { client: speaks, server, wanted, sentence } of toCells(expected)) {
        test(sentence, async () => {
          const client = await openMatrixClient(speaks, overHttp(speaks, replicas.url))
          try {
            const seen = await SCENARIOS[feature]?.({
              client,
              server: server.name,
              key: `${speaks.name}-${server.name}`,
            })
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

  test('each of them was given its share', () => {
    const { given } = replicas.balancer
    expect(Math.min(...given) * 6).toBeGreaterThan(given.reduce((sum, one) => sum + one, 0))
  })
})
