// What the engine costs beside what is written by hand, and beside the official SDK: CPU of the process under
// measurement, a call; every answer is looked at; neighbours take turns within one run.
//   npm run bench -- engine [--rounds 7] [--scale 1] [--leg http] [--json] [--check]
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runHttp } from './http-load.mjs'
import { measureSize } from './size.mjs'
import { measureStarts } from './starts.mjs'
import { openStdio, runStdio } from './stdio-load.mjs'
import { startSubject } from './subject.mjs'

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    /** Multiplies the number of calls of a round. */
    scale: { type: 'string', default: '1' },
    /** Only the legs whose name contains this. */
    leg: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
})
const rounds = Number(flags.rounds)
const CONNECTIONS = 16
const peer = (name) => fileURLToPath(new URL(`peers/${name}.mjs`, import.meta.url))
const SDK = fileURLToPath(new URL('../../interop/peers/bench-sdk-v2.mjs', import.meta.url))
const hasSdk = existsSync(new URL('../../interop/node_modules/@modelcontextprotocol/server', import.meta.url))
if (!hasSdk)
  console.error('SKIPPED: the official SDK is not installed; run `npm ci --prefix interop` to measure beside it')

/** The first row of a leg is held against the second: `most` is how often its CPU ours may be. */
const LEGS = [
  {
    name: 'http 2026-07-28',
    calls: 12_000,
    most: 2.0,
    rows: [http('ours-http', 'modern'), http('floor-http', 'modern'), ...sdk('http', [], 0.1, 'modern')],
  },
  {
    name: 'http 2025-11-25 session',
    calls: 12_000,
    most: 2.0,
    rows: [http('ours-http', 'session'), http('floor-http', 'session')],
  },
  {
    name: 'http 1,000 tools beside one',
    calls: 12_000,
    most: 1.15,
    rows: [
      http('ours-http', 'modern', { tools: 1_000, called: 'ours, 1,000 tools' }),
      http('ours-http', 'modern', { called: 'ours, one tool' }),
    ],
  },
  {
    name: 'http tools/list of 100',
    calls: 3_000,
    most: 0.5,
    rows: [
      http('ours-http', 'modern', { tools: 100, method: 'tools/list' }),
      http('floor-http', 'modern', { tools: 100, method: 'tools/list' }),
      ...sdk('http', ['100'], 0.05, 'modern', { tools: 100, method: 'tools/list' }),
    ],
  },
  {
    name: 'stdio, 32 outstanding',
    calls: 60_000,
    most: 2.5,
    rows: [stdio('ours-stdio'), stdio('floor-stdio'), ...sdkStdio()],
  },
  {
    name: 'client http',
    calls: 12_000,
    most: 2.0,
    rows: [client('ours-client', 'http'), client('floor-client-http', 'http'), ...sdkClient('client-http')],
  },
  {
    name: 'client stdio',
    calls: 30_000,
    most: 2.0,
    rows: [client('ours-client', 'stdio'), client('floor-client-stdio', 'stdio'), ...sdkClient('client-stdio')],
  },
  // No budget: what the platform's own objects cost is not ours.
  { name: 'web-standard porch', calls: 6_000, rows: [inProcess('ours-fetch'), inProcess('floor-fetch')] },
]

const report = { node: process.version, rounds, legs: [] }
for (const leg of LEGS) {
  if (!leg.name.includes(flags.leg)) continue
  const rows = await measure(leg)
  report.legs.push({ name: leg.name, unit: 'us', most: leg.most, rows })
  if (!flags.json) print(report.legs.at(-1))
}
for (const [name, make] of [
  ['start of a hello world over stdio', () => measureStarts(peer, hasSdk ? SDK : undefined, rounds * 3)],
  ['installed size', () => measureSize()],
]) {
  if (!name.includes(flags.leg)) continue
  const legs = await make()
  report.legs.push(...legs)
  if (!flags.json) for (const leg of legs) print(leg)
}
if (flags.json) console.log(JSON.stringify(report, null, 2))
if (flags.check && report.legs.some((leg) => !holds(leg))) process.exitCode = 1

function http(name, era, { tools = 1, method = 'tools/call', called } = {}) {
  return {
    name: called ?? name,
    share: 1,
    async start() {
      const subject = startSubject(peer(name), [String(tools)])
      const { port } = await subject.ready()
      return { subject, run: (calls) => runHttp({ port, era, method, tools }, calls, CONNECTIONS) }
    },
  }
}

function sdk(role, args, share, era, { tools = 1, method = 'tools/call' } = {}) {
  if (!hasSdk) return []
  return [
    {
      name: 'SDK v2',
      share,
      async start() {
        const subject = startSubject(SDK, [role, ...args])
        const { port } = await subject.ready()
        return { subject, run: (calls) => runHttp({ port, era, method, tools }, calls, CONNECTIONS) }
      },
    },
  ]
}

function stdio(name, script = peer(name), args = [], share = 1) {
  return {
    name,
    share,
    async start() {
      const subject = startSubject(script, args)
      const pipes = await openStdio(subject)
      return { subject, run: (calls) => runStdio(pipes, calls, 32) }
    },
  }
}

function sdkStdio() {
  return hasSdk ? [stdio('SDK v2', SDK, ['stdio'], 0.2)] : []
}

function client(name, kind, script = peer(name), args = [kind], share = 1) {
  return {
    name,
    share,
    async start() {
      const server = kind === 'http' ? startSubject(peer('floor-http')) : undefined
      const port = server === undefined ? [] : [String((await server.ready()).port)]
      const subject = startSubject(script, name === 'floor-client-http' ? port : [...args, ...port])
      await subject.ready()
      const concurrency = kind === 'http' ? CONNECTIONS : 32
      return { subject, server, run: (calls) => subject.ask({ calls, concurrency }) }
    },
  }
}

function sdkClient(role) {
  return hasSdk ? [client('SDK v2', role.slice('client-'.length), SDK, [role], 0.1)] : []
}

function inProcess(name) {
  return {
    name,
    share: 1,
    async start() {
      const subject = startSubject(peer(name))
      await subject.ready()
      return { subject, run: (calls) => subject.ask({ calls, concurrency: CONNECTIONS }) }
    },
  }
}

/** One warm-up round, then rounds in turn. */
async function measure({ name, calls, rows }) {
  const live = []
  try {
    for (const row of rows) live.push({ ...row, ...(await row.start()), costs: [] })
    for (let round = -1; round < rounds; round++) {
      for (const row of live) {
        const count = Math.ceil(calls * Number(flags.scale) * row.share)
        const before = await row.subject.used()
        const { failed, sample } = await row.run(count)
        const after = await row.subject.used()
        if (failed > 0)
          throw new Error(`${name}: ${row.name} answered ${failed} of ${count} wrongly, such as:\n${sample}`)
        if (round >= 0) row.costs.push((after.cpuUs - before.cpuUs) / count)
      }
    }
  } finally {
    for (const { subject, server } of live) {
      await subject.stop()
      await server?.stop()
    }
  }
  return toRows(live)
}

/** Ratios are of the same round: neighbours in time. */
function toRows(live) {
  const [ours] = live
  return live.map(({ name, costs }) => ({
    name,
    value: median(costs),
    ratio: median(costs.map((cost, at) => ours.costs[at] / cost)),
  }))
}

function holds({ most, rows, limit, below }) {
  if (limit !== undefined) return rows[0].value <= limit
  if (below !== undefined) return rows[0].value < (rows.find(({ name }) => name === below)?.value ?? Infinity)
  return most === undefined || rows[1] === undefined || rows[1].ratio <= most
}

function print(leg) {
  console.log(`\n${leg.name}`)
  for (const [at, { name, value, ratio }] of leg.rows.entries()) {
    const beside = at === 0 || ratio === undefined ? '' : `   ours: ${ratio.toFixed(2)} times`
    console.log(`  ${name.padEnd(24)} ${value.toFixed(value < 100 ? 1 : 0).padStart(8)} ${leg.unit}${beside}`)
  }
  if (leg.limit !== undefined) console.log(`  at most ${leg.limit} ${leg.unit}: ${holds(leg) ? 'held' : 'MISSED'}`)
  else if (leg.below !== undefined) console.log(`  less than ${leg.below}: ${holds(leg) ? 'held' : 'MISSED'}`)
  else if (leg.most !== undefined) console.log(`  at most ${leg.most} times: ${holds(leg) ? 'held' : 'MISSED'}`)
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
