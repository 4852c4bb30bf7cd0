/**
 * Many clients of both eras call through the gateway, as it is installed, while its servers are killed and come back:
 * `node dist/endurance/gateway.js --calls 100000 --clients 1000`. Every call says something that no other says, so that
 * an answer that went astray is seen. Afterwards nothing may be left over. Linux only (it reads /proc).
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { freePort } from '../port.ts'
import { type Caller, openCaller } from './callers.ts'
import { childrenOf } from './footprint.ts'
import { argumentsOf, type Held, leftBehind, MAX_GROWTH_BYTES, rest, settle } from './held.ts'

const { values: flags } = parseArgs({
  options: {
    calls: { type: 'string', default: '100000' },
    clients: { type: 'string', default: '1000' },
    /** Between two kills of one server. */
    everyMs: { type: 'string', default: '5000' },
  },
})
const file = (name: string) => fileURLToPath(new URL(`../../src/endurance/${name}`, import.meta.url))
const GATEWAY = fileURLToPath(new URL('../../../cli/bin/crosspoint.js', import.meta.url))
const SERVERS = ['legacy', 'modern', 'stdio'] as const
const PATIENCE_MS = 30_000

interface Counts {
  answered: number
  results: number
  /** By what was said, the same for all of a kind. */
  readonly errors: Map<string, number>
  readonly wrong: string[]
  kills: number
}

await main(Number(flags.calls), Number(flags.clients), Number(flags.everyMs))

async function main(calls: number, clients: number, everyMs: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'crosspoint-endurance-'))
  const ports = { legacy: await freePort(), modern: await freePort() }
  const config = join(folder, 'crosspoint.json')
  writeFileSync(config, JSON.stringify(configOf(ports)))
  const victims = [await startHttp(ports.legacy, 'legacy'), await startHttp(ports.modern, 'modern')]
  const gateway = await startGateway(config)
  const counts: Counts = { answered: 0, results: 0, errors: new Map(), wrong: [], kills: 0 }
  try {
    // The first load opens what is kept from then on: sockets to servers, compiled code.
    await load(gateway.url, Math.ceil(calls / 10), clients, { ...counts, errors: new Map(), wrong: [] })
    const before = await rest(gateway.child)
    const stop = new AbortController()
    const storm = killInTurn(gateway, victims, ports, everyMs, counts, stop.signal)
    const tick = setInterval(() => console.error(`${counts.answered} of ${calls} calls, ${counts.kills} kills`), 5_000)
    const start = performance.now()
    await load(gateway.url, calls, clients, counts)
    const ms = performance.now() - start
    clearInterval(tick)
    stop.abort()
    await storm
    await allBack(gateway.url)
    const after = await settle(gateway.child, before)
    gateway.child.kill('SIGTERM')
    const [code] = await once(gateway.child, 'exit')
    report({
      calls,
      counts,
      ms,
      before,
      after,
      code: code as number | null,
      left: leftBehind([folder, file('echo-stdio.mjs')]),
    })
  } finally {
    for (const { child } of [gateway, ...victims]) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Running {
  child: ChildProcess
}

interface RunningGateway extends Running {
  readonly url: string
}

function configOf(ports: { readonly legacy: number; readonly modern: number }): object {
  const restart = { minDelayMs: 50, maxDelayMs: 500, resetAfterMs: 1_000 }
  return {
    servers: {
      legacy: { url: `http://127.0.0.1:${ports.legacy}/mcp`, restart },
      modern: { url: `http://127.0.0.1:${ports.modern}/mcp`, restart },
      stdio: { command: process.execPath, args: [file('echo-stdio.mjs')], restart },
    },
    log: { level: 'error' },
  }
}

async function startHttp(port: number, era: string): Promise<Running> {
  const child = spawn(process.execPath, [file('echo-http.mjs'), String(port), era], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return { child }
}

async function startGateway(config: string): Promise<RunningGateway> {
  const args = [
    '--expose-gc',
    '--import',
    file('collect.mjs'),
    GATEWAY,
    'up',
    '--config',
    config,
    '--port',
    '0',
    '--json',
  ]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  for await (const chunk of child.stdout ?? []) {
    const line = String(chunk)
    if (line.startsWith('{')) return { child, url: (JSON.parse(line) as { readonly url: string }).url }
  }
  throw new Error('The gateway did not start')
}

/** Kills one server after the other, each of them every `everyMs`; those over HTTP are started again by us. */
async function killInTurn(
  gateway: RunningGateway,
  victims: Running[],
  ports: { readonly legacy: number; readonly modern: number },
  everyMs: number,
  counts: Counts,
  signal: AbortSignal,
): Promise<void> {
  const eras = ['legacy', 'modern'] as const
  for (let turn = 0; !signal.aborted; turn = (turn + 1) % 3) {
    await pause(everyMs / 3, undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    const era = eras[turn]
    const victim = victims[turn]
    if (era === undefined || victim === undefined) {
      for (const pid of stdioServersOf(gateway.child.pid ?? 0)) process.kill(pid, 'SIGKILL')
    } else {
      victim.child.kill('SIGKILL')
      await once(victim.child, 'exit')
      Object.assign(victim, await startHttp(ports[era], era))
    }
    counts.kills++
  }
}

/** The processes that are servers themselves; what watches over one has it only among its arguments. */
function stdioServersOf(parent: number): readonly number[] {
  return childrenOf(parent).flatMap((pid) =>
    argumentsOf(pid)[1] === file('echo-stdio.mjs') ? [pid] : stdioServersOf(pid),
  )
}

/** Every client makes its calls one after the other; all clients at once. */
async function load(url: string, calls: number, clients: number, counts: Counts): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const callers = await Promise.all(
    Array.from({ length: clients }, (_, at) => openCaller(url, at % 2 === 0 ? 'modern' : 'legacy', agent)),
  )
  let next = 0
  await Promise.all(
    callers.map(async (caller) => {
      while (next < calls) await callOnce(caller, next++, counts)
      await caller.close()
    }),
  )
  agent.destroy()
}

async function callOnce(caller: Caller, at: number, counts: Counts): Promise<void> {
  const server = SERVERS[at % SERVERS.length] ?? 'stdio'
  const text = `${at} of ${caller.name}`
  const said = await caller.call(`${server}__echo`, text)
  counts.answered++
  if (said.kind === 'result') {
    if (said.text === text) counts.results++
    else counts.wrong.push(`"${text}" was answered with "${said.text}"`)
    return
  }
  const kind = `${server}: ${said.text.replaceAll(/\d+/g, '#').slice(0, 160)}`
  if (said.kind === 'broken' || !said.text.includes(`"${server}"`)) counts.wrong.push(kind)
  counts.errors.set(kind, (counts.errors.get(kind) ?? 0) + 1)
}

/** Waits until each server answers again. */
async function allBack(url: string): Promise<void> {
  const agent = new Agent({ keepAlive: false })
  const caller = await openCaller(url, 'modern', agent)
  const end = performance.now() + PATIENCE_MS
  for (const server of SERVERS) {
    for (;;) {
      const said = await caller.call(`${server}__echo`, 'back')
      if (said.kind === 'result') break
      if (performance.now() > end) throw new Error(`"${server}" did not come back: ${said.text}`)
      await pause(100)
    }
  }
  await caller.close()
}

interface Outcome {
  readonly calls: number
  readonly counts: Counts
  readonly ms: number
  readonly before: Held
  readonly after: Held
  readonly code: number | null
  readonly left: readonly string[]
}

function report({ calls, counts, ms, before, after, code, left }: Outcome): void {
  const { answered, results, errors, wrong, kills } = counts
  for (const [kind, count] of [...errors].sort(([, a], [, b]) => b - a).slice(0, 12))
    console.log(`  ${count} x ${kind}`)
  const seconds = (ms / 1_000).toFixed(1)
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`
  const growth = after.rss - before.rss
  const checks: [string, boolean][] = [
    [`${answered} of ${calls} calls answered, each once, in ${seconds} s with ${kills} kills`, answered === calls],
    [
      `${results} results, each its caller's own; ${answered - results} errors that say of which server`,
      results > calls / 2,
    ],
    [`${wrong.length} wrong ${wrong.slice(0, 3).join('; ')}`, wrong.length === 0],
    [`${kills} kills`, kills > 0],
    [
      `${mib(after.rss)} after, ${mib(before.rss)} before (at most ${mib(MAX_GROWTH_BYTES)} more); objects ${mib(after.heap)}, ${mib(before.heap)}`,
      growth <= MAX_GROWTH_BYTES,
    ],
    [`${after.descriptors} descriptors after, ${before.descriptors} before`, after.descriptors <= before.descriptors],
    [`${after.children} children after, ${before.children} before`, after.children <= before.children],
    [`the gateway ended with ${code}`, code === 0],
    [`${left.length} processes left ${left.slice(0, 3).join('; ')}`, left.length === 0],
  ]
  for (const [what, holds] of checks) console.log(`${holds ? '✓' : '✗'} ${what}`)
  const failed = checks.filter(([, holds]) => !holds).length
  console.log(`${checks.length - failed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}
