// CPU and rate of the gateway beside a floor and a peer, in one interleaved run. Ratios are what counts: the
// machine's speed drifts, the ratio of two neighbours in time does not.
//   npm run bench [-- --calls 8000 --rounds 7 --concurrency 16 --json]
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { readPort, startSubject } from './subject.mjs'

const { values: flags } = parseArgs({
  options: {
    calls: { type: 'string', default: '8000' },
    rounds: { type: 'string', default: '7' },
    concurrency: { type: 'string', default: '16' },
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
})
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const calls = Number(flags.calls)
const rounds = Number(flags.rounds)
const concurrency = Number(flags.concurrency)
const BUDGET = { cpuOfPlainProxy: 2.0, rateOfMcpProxy: 4.0 }

if (process.platform !== 'linux') {
  console.error('The bench reads CPU time from /proc and runs on Linux only')
  process.exit(1)
}
const folder = mkdtempSync(join(tmpdir(), 'crosspoint-bench-'))
const running = []
const load = startLoad()
try {
  const report = { calls, rounds, concurrency, node: process.version, http: await httpLeg(), stdio: await stdioLeg() }
  if (flags.json) console.log(JSON.stringify(report, null, 2))
  else print(report)
  if (flags.check && !holds(report)) process.exitCode = 1
} finally {
  for (const subject of running.reverse()) await subject.stop()
  load.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function httpLeg() {
  const upstream = await start('upstream', process.execPath, [here('peers/upstream-http.mjs')])
  const plain = await start('plain proxy', process.execPath, [
    here('peers/plain-proxy.mjs'),
    `http://127.0.0.1:${upstream.port}`,
  ])
  const gateway = await startGateway('http', { url: `http://127.0.0.1:${upstream.port}/mcp` })
  const job = { path: '/mcp', tool: 'bench__echo', era: 'modern' }
  return measure([
    { subject: gateway, job },
    { subject: plain, job },
  ])
}

async function stdioLeg() {
  const server = [process.execPath, here('peers/upstream-stdio.mjs')]
  const gateway = await startGateway('stdio', { command: server[0], args: [server[1]] })
  const subjects = [{ subject: gateway, job: { path: '/mcp', tool: 'bench__echo', era: 'legacy' } }]
  const bin = here('../interop/node_modules/mcp-proxy/dist/bin/mcp-proxy.mjs')
  if (!existsSync(bin)) {
    console.error('SKIPPED: mcp-proxy is not installed; run `npm ci --prefix interop` to measure beside it')
    return measure(subjects)
  }
  const port = await freePort()
  const proxy = await start(
    'mcp-proxy',
    process.execPath,
    [bin, '--host', '127.0.0.1', '--port', String(port), '--server', 'stream', '--', ...server],
    {
      ready: (line) => (/server|listening|starting/i.test(line) ? port : undefined),
    },
  )
  subjects.push({ subject: proxy, job: { path: '/mcp', tool: 'echo', era: 'legacy' } })
  return measure(subjects)
}

async function startGateway(name, server) {
  const config = join(folder, `${name}.json`)
  writeFileSync(config, JSON.stringify({ mcpServers: { bench: server } }))
  return start(
    'gateway',
    process.execPath,
    [here('../packages/cli/bin/crosspoint.js'), 'up', '--config', config, '--port', '0', '--json'],
    {
      ready: readPort,
    },
  )
}

async function start(...args) {
  const subject = await startSubject(...args)
  running.push(subject)
  return subject
}

/** One warm-up, then rounds in turn; the ratios are of neighbours in time. */
async function measure(subjects) {
  const rows = subjects.map(({ subject }) => ({ name: subject.name, cpuUs: [], rate: [] }))
  for (let round = -1; round < rounds; round++) {
    for (const [at, { subject, job }] of subjects.entries()) {
      const before = subject.cpuMs()
      const { ms, failed, sample } = await load.run({ ...job, port: subject.port, calls, concurrency })
      if (failed > 0)
        throw new Error(`${subject.name} answered ${failed} of ${calls} calls wrongly, for example:\n${sample}`)
      if (round < 0) continue
      rows[at].cpuUs.push(((subject.cpuMs() - before) * 1000) / calls)
      rows[at].rate.push((calls / ms) * 1000)
    }
  }
  const [first] = rows
  return rows.map((row) => ({
    name: row.name,
    cpuUs: median(row.cpuUs),
    rate: median(row.rate),
    cpuRatio: median(row.cpuUs.map((value, at) => first.cpuUs[at] / value)),
    rateRatio: median(row.rate.map((value, at) => first.rate[at] / value)),
  }))
}

function holds(report) {
  const [, plain] = report.http
  const [, peer] = report.stdio
  return plain.cpuRatio <= BUDGET.cpuOfPlainProxy && (peer === undefined || peer.rateRatio >= BUDGET.rateOfMcpProxy)
}

function print(report) {
  console.log(
    `${report.calls} calls a round, ${report.rounds} rounds interleaved, ${report.concurrency} connections, Node ${report.node}`,
  )
  for (const [leg, rows] of [
    ['HTTP client, HTTP upstream, both stateless', report.http],
    ['HTTP client with a session, stdio upstream', report.stdio],
  ]) {
    console.log(`\n${leg}`)
    for (const row of rows) {
      const beside =
        row.name === 'gateway'
          ? ''
          : `   gateway: ${row.cpuRatio.toFixed(2)} x its CPU, ${row.rateRatio.toFixed(2)} x its rate`
      console.log(
        `  ${row.name.padEnd(12)} ${row.cpuUs.toFixed(0).padStart(6)} us CPU a call ${row.rate.toFixed(0).padStart(8)} calls/s${beside}`,
      )
    }
  }
  console.log(
    `\nBudget: at most ${BUDGET.cpuOfPlainProxy.toFixed(1)} x the plain proxy's CPU, at least ${BUDGET.rateOfMcpProxy.toFixed(1)} x mcp-proxy's rate: ${holds(report) ? 'held' : 'MISSED'}`,
  )
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function startLoad() {
  const child = spawn(process.execPath, [here('load.mjs')], { stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting = []
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line)))
  child.on('exit', (code) => {
    for (const { reject } of waiting) reject(new Error(`The load process stopped with code ${code}`))
  })
  return {
    run: (job) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        child.stdin.write(`${JSON.stringify(job)}\n`)
      }),
    stop: () => child.stdin.end(),
  }
}

async function freePort() {
  const { createServer } = await import('node:net')
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
