import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { findRedis, freePort, type RedisServer, startRedis } from '@crosspoint/testkit'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Log, LogDetails } from '../../log.ts'
import { openRedis, type RedisConnection, type RedisOptions } from './connection.ts'

const program = findRedis()

describe.skipIf(program === undefined)('a connection with Redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis(program ?? '')
  })
  afterAll(() => server?.close())

  const open = (options: Partial<RedisOptions> = {}) => openFor({ url: server.url, ...options })

  test('says what it is asked, under names of its own', async () => {
    const [one, other] = [await open(), await open({ keyPrefix: 'other:' })]
    expect(one.isReady).toBe(true)
    expect(await one.call('SET', [one.key('a'), 'é\0'])).toBe('OK')
    expect(await one.call('GET', [one.key('a')])).toBe('é\0')
    expect(await other.call('GET', [other.key('a')])).toBeNull()
    expect(await other.call('GET', ['crosspoint:a'])).toBe('é\0')
  })

  test('a script is sent once, and again where Redis has forgotten it', async () => {
    const redis = await open()
    const add = redis.defineScript('return redis.call("incrby", KEYS[1], ARGV[1])')
    const key = redis.key('sum')
    expect(await add([key], [2])).toBe(2)
    expect(await add([key], [3])).toBe(5)
    await redis.call('SCRIPT', ['FLUSH'])
    expect(await add([key], [4])).toBe(9)
  })

  test('abuse-50: what Redis says of a command names neither the command nor where it is', async () => {
    const redis = await open()
    await redis.call('SET', [redis.key('text'), 'secret'])
    const bad = [
      redis.call('INCR', [redis.key('text')]),
      redis.call('LPUSH', [redis.key('text'), 'hunter2']),
      redis.defineScript('return redis.call("nope")')([redis.key('hunter2')], ['hunter2']),
      openFor({ url: server.url.replace('//', '//me:hunter2@') }).then((wrong) => wrong.call('PING', [])),
    ]
    for (const outcome of await Promise.allSettled(bad)) {
      const { reason } = outcome as PromiseRejectedResult
      expect(reason).toMatchObject({ name: 'StoreError', code: 'unavailable' })
      expect(`${reason.stack}${JSON.stringify(reason)}${reason.cause}`).not.toMatch(/hunter2|127\.0\.0\.1|secret/)
    }
  })

  test('hears what is said, each channel apart, until it wants to no more', async () => {
    const [one, other] = [await open(), await open()]
    const heard: string[] = []
    const stop = await one.subscribe('a', (message) => heard.push(`1 ${message}`))
    await one.subscribe('a', (message) => heard.push(`2 ${message}`))
    await one.subscribe('b', (message) => heard.push(`b ${message}`))
    await other.publish('a', 'x')
    stop()
    await other.publish('a', 'y')
    await other.publish('b', 'end')
    await expect.poll(() => heard).toContain('b end')
    expect(heard).toEqual(['1 x', '2 x', '2 y', 'b end'])
  })

  test('who may not listen is told so in the log', async () => {
    const admin = await open()
    await admin.call('ACL', ['SETUSER', 'mute', 'on', '>hunter2', '~*', '+@all', 'resetchannels'])
    const told: string[] = []
    const redis = await open({ url: server.url.replace('//', '//mute:hunter2@'), log: toLog(told) })
    expect(redis.isReady).toBe(true)
    await redis.subscribe('a', () => {})
    expect(told).toEqual(['warn: Redis does not let us listen'])
  })

  test('a command that Redis does not answer in time fails, and its connection with it', async () => {
    const redis = await open({ commandTimeoutMs: 200 })
    const holder = await open()
    const held = holder.call('EVAL', [HOLD, 0, 900_000], { timeoutMs: 10_000 })
    const before = performance.now()
    await expect(redis.call('GET', [redis.key('a')], { timeoutMs: 50 })).rejects.toMatchObject({ code: 'unavailable' })
    expect(performance.now() - before).toBeLessThan(500)
    await held
    await expect.poll(() => redis.call('PING', []).catch(() => 'away')).toBe('PONG')
  })

  test('what is under way when it is closed fails, and so does all that follows', async () => {
    const redis = await open()
    await redis.subscribe('a', () => {})
    const late = redis.call('BLPOP', [redis.key('none'), 0], { timeoutMs: 60_000 })
    const failed = expect(late).rejects.toMatchObject({ code: 'closed' })
    await redis.close()
    await redis.close()
    await failed
    await expect(redis.call('PING', [])).rejects.toMatchObject({ code: 'closed' })
    await expect(redis.subscribe('b', () => {})).rejects.toMatchObject({ code: 'closed' })
  })

  test('comes back when Redis does, listening again, and says so', async () => {
    const mine = await startRedis(program ?? '')
    onTestFinished(() => mine.close())
    const told: string[] = []
    const redis = await openFor({ url: mine.url, log: toLog(told), commandTimeoutMs: 200 })
    const speaker = await openFor({ url: mine.url })
    const heard: string[] = []
    let began = 0
    let ready = 0
    redis.onReady(() => ready++)
    const add = redis.defineScript('return redis.call("incr", KEYS[1])')
    await add([redis.key('n')], [])
    await redis.subscribe(
      'a',
      (message) => heard.push(message),
      () => began++,
    )
    expect(began).toBe(1)
    await mine.stop()
    await expect(redis.call('PING', [])).rejects.toMatchObject({ code: 'unavailable' })
    await expect.poll(() => told).toEqual(['warn: Redis is away'])
    // From here on nobody waits.
    const before = performance.now()
    for (let n = 0; n < 100; n++) await redis.call('PING', []).catch(() => {})
    expect(performance.now() - before).toBeLessThan(100)
    await mine.start()
    await expect.poll(() => [redis.isReady, ready, began], { timeout: 10_000 }).toEqual([true, 1, 2])
    expect(told).toEqual(['warn: Redis is away', 'info: Redis is back'])
    expect(await add([redis.key('n')], [])).toBe(1)
    await expect.poll(() => speaker.publish('a', 'again').catch(() => 'away')).toBeUndefined()
    await expect.poll(() => heard).toEqual(['again'])
  })

  test('a command asked in the moment of a restart is answered after it', async () => {
    const mine = await startRedis(program ?? '')
    onTestFinished(() => mine.close())
    const redis = await openFor({ url: mine.url, commandTimeoutMs: 5_000 })
    await mine.stop()
    await expect.poll(() => redis.isReady).toBe(false)
    const late = redis.call('PING', [])
    await mine.start()
    expect(await late).toBe('PONG')
  })
})

test('a gateway starts without Redis, and finds it later', { skip: program === undefined }, async () => {
  const server = await startRedis(program ?? '')
  onTestFinished(() => server.close())
  await server.stop()
  const told: string[] = []
  const redis = await openFor({ url: server.url, log: toLog(told) })
  expect(redis.isReady).toBe(false)
  expect(told).toEqual(['warn: Redis is away'])
  let began = 0
  await redis.subscribe(
    'a',
    () => {},
    () => began++,
  )
  expect(began).toBe(0)
  await server.start()
  await expect.poll(() => [redis.isReady, began], { timeout: 10_000 }).toEqual([true, 1])
  expect(await redis.call('PING', [])).toBe('PONG')
})

test.each(['redis', 'rediss'])(
  'abuse-50: %s with nobody there, or somebody else, is unavailable and tells no address',
  async (scheme) => {
    const strange = await listen()
    for (const port of [await freePort(), strange]) {
      const told: string[] = []
      const redis = await openFor({
        url: `${scheme}://me:hunter2@127.0.0.1:${port}`,
        log: toLog(told),
        connectTimeoutMs: 500,
      })
      const fault = await redis.call('PING', []).catch((error: unknown) => error)
      expect(fault).toMatchObject({ name: 'StoreError', code: 'unavailable' })
      expect(`${String(fault)}${told}`).not.toMatch(/hunter2|127\.0\.0\.1/)
    }
  },
)

/** Holds Redis for so many microseconds. */
const HOLD = `
  local from = redis.call('time')
  local now = from
  while (now[1] - from[1]) * 1000000 + now[2] - from[2] < tonumber(ARGV[1]) do now = redis.call('time') end`

async function openFor(options: RedisOptions): Promise<RedisConnection> {
  const redis = await openRedis(options)
  onTestFinished(() => redis.close())
  return redis
}

/** One who is no Redis. */
async function listen(): Promise<number> {
  const server: Server = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  onTestFinished(() => void server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function toLog(told: string[]): Log {
  const tell = (level: string) => (_: LogDetails, message: string) => void told.push(`${level}: ${message}`)
  return { debug: tell('debug'), info: tell('info'), warn: tell('warn'), error: tell('error') }
}
