import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pass } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findPostgres, type PostgresServer, startPostgres } from '../databases/postgres.ts'
import { findRedis, type RedisServer, startRedis } from '../databases/redis.ts'
import { freePort } from '../port.ts'
import { type Balancer, openBalancer } from './balancer.ts'
import { type Done, type Load, openLoad } from './load.ts'
import { createFleet, type Fleet, type Process } from './processes.ts'

/** Real processes on PostgreSQL and Redis, killed under load: what their callers notice, and what the evidence says. */

const [postgres, redisProgram] = [findPostgres(), findRedis()]
const ECHO = fileURLToPath(new URL('../../src/endurance/echo-http.mjs', import.meta.url))
const CLIENTS = 12
const WITHIN_MS = 1_000

describe.skipIf(postgres === undefined || redisProgram === undefined)('three gateways under load', () => {
  const servers: ChildProcess[] = []
  const replicas: Process[] = []
  let database: PostgresServer
  let redis: RedisServer
  let fleet: Fleet
  let balancer: Balancer
  let load: Load

  beforeAll(async () => {
    const [opened, redisServer, ...ports] = await Promise.all([
      startPostgres(postgres ?? ''),
      startRedis(redisProgram ?? ''),
      startEcho('modern', servers),
      startEcho('legacy', servers),
    ])
    database = opened
    redis = redisServer
    fleet = createFleet({
      servers: { modern: { url: ports[0] }, legacy: { url: ports[1] } },
      store: { kind: 'postgres', url: await database.createDatabase() },
      audit: { content: 'full', acknowledge: 'before-answer', keyFile: 'keys/audit.key' },
      cluster: {
        redis: redis.url,
        secret: 'processes of a test trust each other by this',
        listen: { port: 0 },
        leaseMs: 1_500,
      },
      admin: { enabled: false },
      log: { level: 'info' },
    })
    expect(await fleet.run('store', 'migrate')).toMatchObject({ code: 0 })
    replicas.push(...(await Promise.all([fleet.start(), fleet.start(), fleet.start()])))
    balancer = await openBalancer(
      replicas.map(({ origin }) => origin),
      { seed: 11 },
    )
    load = await openLoad(`${balancer.url}/mcp`, ['modern__echo', 'legacy__echo'], CLIENTS)
    await load.allServed()
  }, 120_000)
  afterAll(async () => {
    await load?.stop()
    await balancer?.close()
    await fleet?.close()
    await Promise.all([database?.close(), redis?.close()])
    for (const server of servers) server.kill('SIGKILL')
  }, 60_000)

  /** Until each client was served again, in the order of their clients. */
  async function recoveries(since: number): Promise<readonly number[]> {
    await load.allServed()
    const first = new Map<string, number>()
    for (const { client, kind, at } of load.done) {
      if (kind === 'result' && at > since && !first.has(client)) first.set(client, at - since)
    }
    return [...first.values()]
  }

  test('kill -9: every client is served again within a second, and every call has one answer at most', async () => {
    for (const at of [0, 1]) {
      await load.allServed()
      const since = performance.now()
      await replicas[at]?.kill()
      expect(Math.max(...(await recoveries(since)))).toBeLessThan(WITHIN_MS)
      replicas[at] = await fleet.start()
      balancer.replace(at, replicas[at].origin)
      await load.allServed()
    }
    expect(toSurprises(load.done)).toEqual([])
    // Sessions were there, or nothing was tried here.
    expect(replicas.map((replica) => replica.log()).join('')).toContain('session.adopted')
  }, 60_000)

  test('SIGTERM: nobody loses a session, and hardly anybody notices', async () => {
    const since = performance.now()
    const before = load.done.length
    await replicas[2]?.stop()
    expect(Math.max(...(await recoveries(since)))).toBeLessThan(WITHIN_MS)
    replicas[2] = await fleet.start()
    balancer.replace(2, replicas[2].origin)
    expect(toSurprises(load.done.slice(before))).toEqual([])
  }, 60_000)

  test('a process that hangs counts as gone after its lease, and lets go of what was taken from it when it wakes', async () => {
    await load.allServed()
    const [hung] = replicas
    hung?.signal('SIGSTOP')
    // As a balancer does that looks after those behind it.
    balancer.replace(0, replicas[1]?.origin ?? '')
    const before = load.done.length
    await load.allServed()
    hung?.signal('SIGCONT')
    balancer.replace(0, hung?.origin ?? '')
    await load.allServed()
    expect(toSurprises(load.done.slice(before))).toEqual([])
  }, 60_000)

  test('Redis that restarts empty costs nobody a session', async () => {
    await load.allServed()
    const before = load.done.length
    await redis.stop()
    await pass(500)
    await redis.start()
    await load.allServed()
    const seen = load.done.slice(before)
    expect(toSurprises(seen)).toEqual([])
    // Nothing of the newest revision hangs on it.
    expect(seen.filter(({ client, kind }) => client.startsWith('modern') && kind !== 'result')).toEqual([])
  }, 60_000)

  test('PostgreSQL that restarts refuses calls for a while, and loses no record', async () => {
    await load.allServed()
    await database.stop()
    await pass(300)
    await database.start()
    await load.allServed()
    await load.stop()
    expect(toSurprises(load.done)).toEqual([])
    const verified = await fleet.run('audit', 'verify')
    expect(verified.code, verified.stdout + verified.stderr).toBe(0)
    const { stdout } = await fleet.run('audit', 'export')
    const answered = load.done.filter(({ kind }) => kind === 'result')
    expect(answered.length).toBeGreaterThan(200)
    expect(answered.filter(({ text }) => !stdout.includes(text)).map(({ text }) => text)).toEqual([])
  }, 120_000)
})

/** What no client should ever hear: of a session that is gone, two answers, or the answer of somebody else. */
function toSurprises(done: readonly Done[]): readonly string[] {
  return done
    .filter(({ kind, answer, text }) => {
      if (kind === 'result') return answer !== text
      return /No such session|^[2-9]\d* answers/.test(answer)
    })
    .map(({ text, answer }) => `${text}: ${answer}`)
}

async function startEcho(era: string, servers: ChildProcess[]): Promise<string> {
  const port = await freePort()
  const child = spawn(process.execPath, [ECHO, `${port}`, era], { stdio: ['ignore', 'pipe', 'inherit'] })
  servers.push(child)
  await once(child.stdout, 'data')
  return `http://127.0.0.1:${port}/mcp`
}
