import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { NEWEST, NEWEST_HANDSHAKE, type Result } from '@crosspoint/mcp'
import { freePort, recordCall } from '@crosspoint/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { parseConfig } from './config/parse.ts'
import { createGateway } from './gateway.ts'

/** Replicas in real processes, of which one is killed while calls are at work. */

const program = fileURLToPath(new URL('../fixtures/replica-server.mjs', import.meta.url))

async function startReplica(
  journal: string,
  delayMs: number,
): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const port = await freePort()
  const child = spawn(process.execPath, [program, journal, String(port), String(delayMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  })
  const [url] = (await once(createInterface(child.stdout), 'line')) as [string]
  return { child, url }
}

async function open(revision: string, rest: object = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'crosspoint-replicas-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const journal = join(folder, 'journal')
  writeFileSync(journal, '')
  const replicas = await Promise.all([5, 5, 5].map((delayMs) => startReplica(journal, delayMs)))
  const one = { urls: replicas.map(({ url }) => url), revision }
  const { config } = parseConfig(JSON.stringify({ servers: { one }, ...rest }), { path: 'crosspoint.json' })
  const gateway = createGateway({ config, info: { name: 'crosspoint', version: '0.0.0' } })
  onTestFinished(() => gateway.close({ graceMs: 0 }))
  await gateway.start()
  await expect
    .poll(() => gateway.status()[0]?.replicas?.map(({ state }) => state), PATIENCE)
    .toEqual(['ready', 'ready', 'ready'])
  const call = async (tool: string, id: string, caller: string) => {
    const principal = { id: caller, tenant: 'default' }
    const params = { name: `one__${tool}`, arguments: { id } }
    const result = await gateway
      .endpoint()
      ?.handle(recordCall('tools/call', params, { principal, progress: false }).call)
    if (result === undefined) throw new Error('There is always an endpoint of everything')
    return result
  }
  /** How often each call ran, by its id. */
  const runs = () => {
    const counts = new Map<string, number>()
    for (const line of readFileSync(journal, 'utf8').split('\n').filter(Boolean)) {
      const [, id = ''] = line.split(' ')
      counts.set(id, (counts.get(id) ?? 0) + 1)
    }
    return counts
  }
  /** So many calls by so many callers at once; one replica is killed in the middle. */
  const load = async (tool: string, count: number) => {
    const answers = new Map<string, Result>()
    let next = 0
    const worker = async (caller: number) => {
      while (next < count) {
        const id = `${tool}-${next++}`
        if (next === Math.floor(count / 2)) replicas[0]?.child.kill('SIGKILL')
        answers.set(id, await call(tool, id, `caller-${caller}`))
      }
    }
    await Promise.all(Array.from({ length: 12 }, (_, caller) => worker(caller)))
    return answers
  }
  return { gateway, replicas, call, runs, load }
}

const textOf = ({ content }: Result) => String((content as readonly { readonly text: string }[])[0]?.text)
const PATIENCE = { timeout: 20_000 }
const RETRIES = { traffic: { retries: [{ attempts: 3, minDelayMs: 10, maxDelayMs: 100 }] } }

test.each([NEWEST.name, NEWEST_HANDSHAKE.name])(
  'a replica of %s that is killed under load: what changes nothing succeeds to the last call',
  async (revision) => {
    const { load, gateway } = await open(revision, RETRIES)
    const answers = await load('read', 400)
    expect(answers.size).toBe(400)
    expect([...answers.values()].filter(({ isError }) => isError === true).map(textOf)).toEqual([])
    expect(gateway.status()[0]?.state).toBe('degraded')
  },
  30_000,
)

test.each([NEWEST.name, NEWEST_HANDSHAKE.name])(
  'a replica of %s that is killed under load: what changes something runs once at most, and is answered once',
  async (revision) => {
    const { load, runs } = await open(revision)
    const answers = await load('write', 400)
    expect(answers.size).toBe(400)
    const counts = runs()
    expect([...counts.values()].filter((count) => count !== 1)).toEqual([])
    const failed = [...answers].filter(([, { isError }]) => isError === true)
    // Only what was at work there when it died.
    expect(failed.length).toBeLessThanOrEqual(12)
    for (const [, answer] of failed) expect(textOf(answer)).toContain('outcome is unknown')
    for (const [id, { isError }] of answers) if (isError !== true) expect(counts.get(id)).toBe(1)
  },
  30_000,
)

test('callers with sessions stay on one replica, and go on with another when theirs is gone', async () => {
  const { call, replicas } = await open(NEWEST_HANDSHAKE.name, RETRIES)
  const callers = Array.from({ length: 12 }, (_, caller) => `caller-${caller}`)
  const where = (caller: string) => call('read', 'x', caller).then(textOf)
  const first = await Promise.all(callers.map(where))
  expect(new Set(first).size).toBeGreaterThan(1)
  for (let round = 0; round < 5; round++) expect(await Promise.all(callers.map(where))).toEqual(first)
  const [victim] = replicas
  victim?.child.kill('SIGKILL')
  await once(victim?.child ?? process, 'exit')
  const second = await Promise.all(callers.map(where))
  for (const [at, pid] of second.entries()) {
    if (first[at] === String(victim?.child.pid)) expect(pid).not.toBe(first[at])
    else expect(pid).toBe(first[at])
  }
  expect(await Promise.all(callers.map(where))).toEqual(second)
}, 30_000)

test('processes of one program share its calls, and one that dies is started again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'crosspoint-replicas-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const program = fileURLToPath(new URL('../fixtures/lasting-server.mjs', import.meta.url))
  writeFileSync(join(folder, 'version'), '1')
  const one = {
    command: process.execPath,
    args: [program, join(folder, 'version')],
    sessions: 'shared',
    instances: 2,
    restart: { minDelayMs: 10, maxDelayMs: 20 },
  }
  const { config } = parseConfig(JSON.stringify({ servers: { one } }), { path: 'crosspoint.json', baseDir: folder })
  const gateway = createGateway({ config, info: { name: 'crosspoint', version: '0.0.0' } })
  onTestFinished(() => gateway.close({ graceMs: 0 }))
  await gateway.start()
  const states = () => gateway.status()[0]?.replicas?.map(({ name, state }) => `${name} ${state}`)
  await expect.poll(states, PATIENCE).toEqual(['#1 ready', '#2 ready'])
  const pid = async (id: string) => {
    const principal = { id, tenant: 'default' }
    const made = recordCall('tools/call', { name: 'one__where', arguments: {} }, { principal, progress: false })
    const answer = await gateway.endpoint()?.handle(made.call)
    return Number(textOf(answer ?? {}).split(' ')[0])
  }
  const callers = Array.from({ length: 12 }, (_, caller) => `caller-${caller}`)
  const pids = await Promise.all(callers.map(pid))
  expect(new Set(pids).size).toBe(2)
  process.kill(pids[0] ?? 0, 'SIGKILL')
  await expect.poll(() => gateway.status()[0]?.restarts, PATIENCE).toBe(1)
  await expect.poll(states, PATIENCE).toEqual(['#1 ready', '#2 ready'])
  expect((await Promise.all(callers.map(pid))).includes(pids[0] ?? 0)).toBe(false)
}, 30_000)
