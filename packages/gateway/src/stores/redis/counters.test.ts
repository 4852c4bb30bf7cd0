import { createFakeClock, findRedis, type RedisServer, startRedis } from '@crosspoint/testkit'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { countersSuite } from '../../traffic/counters.suite.ts'
import { openRedis } from './connection.ts'
import { RedisCounters } from './counters.ts'

const program = findRedis()

describe.skipIf(program === undefined)('counters in Redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis(program ?? '')
  })
  afterAll(() => server?.close())

  const open = async (owner: string, now?: () => number) => {
    const redis = await openRedis({ url: server.url })
    const clock = createFakeClock()
    const counters = new RedisCounters({ redis, clock, owner, timeoutMs: 5_000, ...(now !== undefined && { now }) })
    onTestFinished(async () => {
      await counters.close()
      await redis.close()
    })
    return { redis, clock, counters }
  }

  let tests = 0
  countersSuite(async () => {
    tests++
    const prefix = `${tests}/`
    let ms = 1_700_000_000_000
    const clock = {
      now: () => ms,
      advance: (by: number) => {
        ms += by
      },
    }
    const instances = await Promise.all(['a', 'b', 'c'].map(async (owner) => (await open(owner, clock.now)).counters))
    return { instances, clock, key: (name) => prefix + name }
  })

  test('count by the clock of Redis, and leave nothing behind', async () => {
    const { redis, counters } = await open('a')
    const charges = [
      { key: 'short', amount: 1, max: 2, windowMs: 100 },
      { key: 'shorter', amount: 1, max: 2, windowMs: 100 },
    ]
    const taken = [await counters.take(charges), await counters.take(charges), await counters.take(charges)]
    expect(taken.map(({ isTaken }) => isTaken)).toEqual([true, true, false])
    expect(taken[2]).toMatchObject({ at: 0 })
    await expect.poll(() => redis.call('EXISTS', [redis.key('count:short'), redis.key('count:shorter')])).toBe(0)
    expect(await counters.take(charges)).toEqual({ isTaken: true })
  })

  test('know how many gateways count, and which has gone', async () => {
    const [one, other] = [await open('one'), await open('other')]
    await other.counters.take([])
    one.clock.advance(5_000)
    await expect.poll(() => one.counters.replicas).toBe(2)
    await other.counters.close()
    one.clock.advance(5_000)
    await expect.poll(() => one.counters.replicas).toBe(1)
  })

  test('abuse-50: who cannot count fails in time, and says neither for whom nor where', async () => {
    const { redis, counters } = await open('a')
    await redis.call('SET', [redis.key('count:secret'), 'text'])
    const fault = await counters
      .take([{ key: 'secret', amount: 1, max: 1, windowMs: 1_000 }])
      .catch((error: unknown) => error)
    expect(fault).toMatchObject({ name: 'StoreError' })
    expect(String(fault)).not.toMatch(/secret|127\.0\.0\.1/)
  })
})
