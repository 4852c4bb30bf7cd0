/**
 * Kills upstreams and reloads the configuration under load, for as long as told, and then counts what was lost and
 * what was left behind: `node dist/endurance/run.js --kills 500 --reloads 50`. Linux only (it reads /proc).
 */
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createGateway, type Gateway } from '@crosspoint/gateway'
import { type GatewayConfig, parseConfig } from '@crosspoint/gateway/config'
import { type Client, connect } from '@crosspoint/mcp/client'
import { type HttpDoor, openHttpDoor } from '@crosspoint/mcp/transports'
import { createFixtureServer } from '../fixture/server.ts'
import { childrenOf, createCountingClock, type Footprint, footprint } from './footprint.ts'

const VICTIMS = 5
const CALLERS = 4
const PATIENCE_MS = 30_000
const REST_MS = 2_000
const victimFile = fileURLToPath(new URL('../../src/endurance/victim.mjs', import.meta.url))

interface Counts {
  kills: number
  reloads: number
  calls: number
  readonly lost: string[]
}

const { values: flags } = parseArgs({
  options: { kills: { type: 'string', default: '500' }, reloads: { type: 'string', default: '50' } },
})
await main(Number(flags.kills), Number(flags.reloads))

async function main(kills: number, reloads: number): Promise<void> {
  const clock = createCountingClock()
  // The first server that listens makes Node keep one descriptor in reserve, for ever.
  await (await openHttpDoor({ endpoint: () => undefined })).close()
  const idle = footprint(clock)
  const fixture = createFixtureServer()
  const upstream = await openHttpDoor({ endpoint: () => fixture.endpoint })
  const gateway = createGateway({
    config: configOf(upstream.url, 0),
    clock,
    info: { name: 'endurance', version: '1.0.0' },
  })
  await gateway.start()
  const door = await openHttpDoor({ endpoint: (path) => (path === '/mcp' ? gateway.endpoint() : undefined) })
  const counts: Counts = { kills: 0, reloads: 0, calls: 0, lost: [] }
  // Clients keep as many sockets as they ever needed at once, so each storm has its own and what is left is ours.
  const storm = async (some: number, turns: number) => {
    const clients = await openClients(door)
    await rage({ clients, gateway, upstreamUrl: upstream.url, counts }, some, turns)
    await Promise.all(clients.map((client) => client.close()))
  }
  // The first one opens what is then kept open: pools of sockets, caches, compiled code.
  await storm(2 * VICTIMS, 2)
  const before = await rest(() => footprint(clock))
  const progress = setInterval(
    () => console.error(`${counts.kills} kills, ${counts.reloads} reloads, ${counts.calls} calls`),
    5000,
  )
  await storm(kills, reloads)
  clearInterval(progress)

  const after = await settle(() => footprint(clock), before)
  await door.close()
  await gateway.close()
  await upstream.close()
  const closed = await settle(() => footprint(clock), idle)
  report(counts, { kills, reloads }, [
    ['after the storm, beside before it', after, before],
    ['after closing, beside before opening', closed, idle],
  ])
}

function victims(): readonly string[] {
  return Array.from({ length: VICTIMS }, (_, at) => `victim${at}`)
}

/** The `turn` changes what a reload touches: a server comes and goes, a view is renamed, a timeout is retuned. */
function configOf(upstreamUrl: string, turn: number): GatewayConfig {
  const stdio = {
    command: process.execPath,
    args: [victimFile],
    restart: { minDelayMs: 10, maxDelayMs: 50, resetAfterMs: 1 },
  }
  const servers = {
    steady: { command: process.execPath, args: [victimFile] },
    remote: { url: upstreamUrl.replace(/\/?$/, '/mcp') },
    ...Object.fromEntries(victims().map((name) => [name, stdio])),
    ...(turn % 2 === 1 ? { visitor: stdio } : {}),
  }
  const views = { [`view${turn % 3}`]: { tools: { include: ['steady__*'] } } }
  const timeouts = { requestMs: 60_000 + turn }
  return parseConfig(JSON.stringify({ servers, views, timeouts }), { path: 'endurance.json' }).config
}

async function openClients(door: HttpDoor): Promise<readonly Client[]> {
  const url = `${door.url.replace(/\/$/, '')}/mcp`
  return Promise.all(
    Array.from({ length: 1 + CALLERS }, () => connect(url, { client: { name: 'endurance', version: '1.0.0' } })),
  )
}

interface Scene {
  readonly clients: readonly Client[]
  readonly gateway: Gateway
  readonly upstreamUrl: string
  readonly counts: Counts
}

/** Kills and reloads, side by side, while callers call what is not touched. */
async function rage({ clients, gateway, upstreamUrl, counts }: Scene, kills: number, reloads: number): Promise<void> {
  const stop = new AbortController()
  const load = clients.slice(1).map((client) => call(client, counts, stop.signal))
  await Promise.all([
    ...victims().map((name) => killRepeatedly(clients[0], name, Math.ceil(kills / VICTIMS), counts)),
    reloadRepeatedly(gateway, upstreamUrl, reloads, counts),
  ])
  stop.abort()
  await Promise.all(load)
}

/** Calls the upstreams nobody touches, until told to stop; every answer has to be right. */
async function call(client: Client, counts: Counts, signal: AbortSignal): Promise<void> {
  let pid: string | undefined
  while (!signal.aborted) {
    for (const name of ['steady__pid', 'remote__test_simple_text']) {
      try {
        const result = await client.callTool(name, {})
        const text = textOf(result)
        if (result.isError === true) counts.lost.push(`${name}: ${text}`)
        if (name === 'steady__pid') {
          pid ??= text
          if (text !== pid) counts.lost.push(`${name} was restarted: ${pid}, then ${text}`)
        }
      } catch (error) {
        counts.lost.push(`${name}: ${String(error)}`)
      }
      counts.calls++
    }
  }
}

async function killRepeatedly(client: Client | undefined, name: string, times: number, counts: Counts): Promise<void> {
  const signals = ['SIGKILL', 'SIGTERM'] as const
  let pid = await pidOf(client, name)
  for (let turn = 0; turn < times; turn++) {
    process.kill(pid, signals[turn % signals.length])
    pid = await pidOf(client, name, pid)
    counts.kills++
  }
}

/** The process that answers for a server now, once it is another than `not`. */
async function pidOf(client: Client | undefined, name: string, not?: number): Promise<number> {
  const end = performance.now() + PATIENCE_MS
  let last = 'nothing'
  while (performance.now() < end) {
    const result = await client
      ?.callTool(`${name}__pid`, {})
      .catch((error: unknown) => ({ isError: true, content: [{ type: 'text', text: String(error) }] }))
    last = result === undefined ? last : textOf(result)
    if (result?.isError !== true && Number(last) !== not) return Number(last)
    await pause(5)
  }
  throw new Error(`"${name}" did not come back within ${PATIENCE_MS} ms; it last answered: ${last}`)
}

async function reloadRepeatedly(gateway: Gateway, upstreamUrl: string, times: number, counts: Counts): Promise<void> {
  for (let turn = 1; turn <= times; turn++) {
    await gateway.apply(configOf(upstreamUrl, turn))
    counts.reloads++
    await pause(50)
  }
  await gateway.apply(configOf(upstreamUrl, 0))
}

/** Waits until nothing comes or goes any more: a child on its way back holds less than one that is there. */
async function rest(measure: () => Footprint): Promise<Footprint> {
  const end = performance.now() + PATIENCE_MS
  let seen = measure()
  let since = performance.now()
  while (performance.now() < end && performance.now() - since < REST_MS) {
    await pause(100)
    const now = measure()
    if (isAbove(now, seen) || isAbove(seen, now)) since = performance.now()
    seen = now
  }
  return seen
}

/** Waits for what ends by itself (a child being reaped, a keep-alive socket), then says what is left. */
async function settle(measure: () => Footprint, goal: Footprint): Promise<Footprint> {
  const end = performance.now() + PATIENCE_MS
  let seen = measure()
  while (performance.now() < end && isAbove(seen, goal)) {
    await pause(100)
    seen = measure()
  }
  return seen
}

function isAbove(seen: Footprint, goal: Footprint): boolean {
  return (Object.keys(goal) as (keyof Footprint)[]).some((what) => seen[what] > goal[what])
}

function report(
  counts: Counts,
  wanted: { kills: number; reloads: number },
  prints: readonly [string, Footprint, Footprint][],
): void {
  const checks: [string, boolean][] = [
    [`${counts.kills} kills, each answered by a new process`, counts.kills >= wanted.kills],
    [`${counts.reloads} reloads`, counts.reloads >= wanted.reloads],
    [
      `${counts.calls} calls to other upstreams, ${counts.lost.length} lost ${counts.lost.slice(0, 3).join('; ')}`,
      counts.calls > 0 && counts.lost.length === 0,
    ],
    ...prints.map(([when, seen, goal]): [string, boolean] => [
      `${when}: ${JSON.stringify(seen)} beside ${JSON.stringify(goal)}`,
      !isAbove(seen, goal),
    ]),
    [`children left: ${childrenOf(process.pid).length}`, childrenOf(process.pid).length === 0],
  ]
  for (const [what, holds] of checks) console.log(`${holds ? '✓' : '✗'} ${what}`)
  const failed = checks.filter(([, holds]) => !holds).length
  console.log(`${checks.length - failed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}

function textOf(result: { readonly content: readonly unknown[] }): string {
  const [block] = result.content
  return typeof block === 'object' && block !== null && 'text' in block
    ? String(block.text)
    : JSON.stringify(result.content)
}
