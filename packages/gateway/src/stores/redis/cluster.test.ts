import { setTimeout as sleep } from 'node:timers/promises'
import { findRedis, type RedisServer, startRedis } from '@crosspoint/testkit'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { eventStoreSuite } from '../contract/event-store.suite.ts'
import { sessionStoreSuite } from '../contract/session-store.suite.ts'
import { openRedis, type RedisConnection } from './connection.ts'
import { createRedisEvents } from './events.ts'
import { createRedisSessions } from './sessions.ts'

const program = findRedis()

describe.skipIf(program === undefined)('what a cluster keeps in Redis', () => {
  let server: RedisServer
  let count = 0
  beforeAll(async () => {
    server = await startRedis(program ?? '')
  })
  afterAll(() => server?.close())
  // Its clock is the one of the machine: what ends there ends in real time.
  const pass = (ms: number) => sleep(ms)
  const open = async (): Promise<RedisConnection> => {
    const redis = await openRedis({ url: server.url, keyPrefix: `test${++count}:` })
    onTestFinished(() => redis.close())
    return redis
  }

  sessionStoreSuite(async () => createRedisSessions(await open()), pass)
  eventStoreSuite(
    async (bounds) => createRedisEvents(await open(), bounds),
    (length) => length + 128,
    pass,
  )

  test('abuse-50: what was said on streams is sealed where that is asked for', async () => {
    const redis = await open()
    const seal = {
      close: (text: string) => `sealed ${[...text].reverse().join('')}`,
      open: (kept: string) => [...kept.slice(7)].reverse().join(''),
    }
    const store = createRedisEvents(redis, { seal })
    await store.append('s', 'a', { seq: 1, text: 'hunter2' })
    expect(await store.read('s', 'a', 0, 9)).toEqual([{ seq: 1, text: 'hunter2' }])
    expect(JSON.stringify(await redis.call('XRANGE', [redis.key('events:e:s:a'), '-', '+']))).not.toContain('hunter2')
    const other = createRedisEvents(redis, { seal: { ...seal, open: () => undefined } })
    expect(await other.read('s', 'a', 0, 9)).toBeUndefined()
  })

  test('what is said while Redis is away is not kept, nobody waits for it, and it is missing afterwards', async () => {
    const mine = await startRedis(program ?? '')
    onTestFinished(() => mine.close())
    const redis = await openRedis({ url: mine.url, commandTimeoutMs: 200 })
    onTestFinished(() => redis.close())
    const store = createRedisEvents(redis)
    await store.append('s', 'a', { seq: 1, text: 'x' })
    await mine.stop()
    await expect.poll(() => redis.isReady).toBe(false)
    await store.append('s', 'a', { seq: 2, text: 'y' })
    await store.drop('t')
    await expect(store.read('s', 'a', 0, 9)).rejects.toMatchObject({ code: 'policy.busy' })
    await mine.start()
    await expect.poll(() => redis.isReady, { timeout: 10_000 }).toBe(true)
    await store.append('s', 'a', { seq: 3, text: 'z' })
    expect(await store.read('s', 'a', 0, 9)).toBeUndefined()
    expect(await store.read('s', 'a', 2, 9)).toEqual([{ seq: 3, text: 'z' }])
  })

  test('nothing is left of events once their time is over', async () => {
    const redis = await open()
    const store = createRedisEvents(redis, { ttlMs: 50 })
    await store.append('s', 'a', { seq: 1, text: 'x', topic: 't' }, 'anna')
    await sleep(150)
    expect(await redis.call('KEYS', [redis.key('*')])).toEqual([])
  })
})
