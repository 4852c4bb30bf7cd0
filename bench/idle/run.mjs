// What a stream costs that says nothing, beside a bare node:http server that holds the same sockets; and what happens
// when there is something to say to all of them.
//   npm run bench -- idle [--streams 10000] [--kind listen] [--json] [--check]
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { NEWEST, toCall } from '../engine/message.mjs'
import { exchange, openSocket } from '../raw-http.mjs'
import { startSubject } from '../subject.mjs'

const { values: flags } = parseArgs({
  options: {
    streams: { type: 'string', default: '10000' },
    /** Only the kinds whose name contains this. */
    kind: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
})
const wanted = Number(flags.streams)
const KINDS = [
  { name: 'listen, newest revision', era: 'modern' },
  { name: 'GET of a session', era: 'legacy' },
]
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const PROCESSES = 4
const WARM_UP = 500
const WARM_UPS = 4
/** What the first of them cost is not counted: it is the process that grows with the first load, by tens of MiB. */
const FIRST = 0.2
const IDLE_MS = 3_000
const BUDGET = { memory: 1.5, burstMs: 5_000, peakBytes: 256 * 1024 * 1024 }

const reports = []
for (const kind of KINDS) {
  if (!kind.name.includes(flags.kind)) continue
  const bare = await measure(kind, startBare)
  const ours = await measure(kind, startGateway)
  const report = { name: kind.name, streams: wanted, bare, ours, ratio: ours.bytes / bare.bytes }
  reports.push(report)
  if (!flags.json) print(report)
}
if (flags.json) console.log(JSON.stringify({ node: process.version, kinds: reports }, null, 2))
if (flags.check && !reports.every(holds)) process.exitCode = 1

/** @returns bytes a stream, and, where the subject has news to tell, what became of them */
async function measure({ era }, start) {
  const crowd = startCrowd()
  const folder = mkdtempSync(join(tmpdir(), 'crosspoint-bench-'))
  const subject = await start(folder)
  try {
    // What is made once is no stream's: code, tables, the young generation.
    for (let turn = 0; turn < WARM_UPS; turn++) {
      await crowd.open(WARM_UP, subject.port, era)
      await crowd.close()
    }
    const first = wanted * FIRST
    await crowd.open(first, subject.port, era)
    const before = await rest(subject)
    await crowd.open(wanted - first, subject.port, era)
    const after = await rest(subject)
    const share = (what) => (after[what] - before[what]) / (wanted - first)
    const rss = share('rss')
    const heapBytes = share('heapUsed')
    const bytes = heapBytes + share('external') + share('native')
    const cpu = await idleCpu(subject)
    if (start === startBare) return { bytes, heapBytes, rss, cpu }
    const bursts = []
    for (let turn = 1; turn <= 2; turn++) bursts.push(await burst(subject, crowd, turn, after.rss))
    const later = await rest(subject)
    const laterBytes = bytes + (later.heapUsed + later.native - after.heapUsed - after.native) / wanted
    return { bytes, heapBytes, rss, cpu, bursts, laterBytes }
  } finally {
    await crowd.stop()
    await subject.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function startBare() {
  return startSubject('bare', here('../peers/bare-streams.mjs'), [], { nodeArgs: ['--expose-gc'] })
}

function startGateway(folder) {
  const config = join(folder, 'crosspoint.json')
  const growing = { command: process.execPath, args: [here('../peers/upstream-growing.mjs')] }
  writeFileSync(config, JSON.stringify({ mcpServers: { bench: growing } }))
  const args = ['up', '--config', config, '--port', '0', '--json']
  return startSubject('gateway', here('../../packages/cli/bin/crosspoint.js'), args, { nodeArgs: ['--expose-gc'] })
}

/**
 * The least of a few looks: garbage may be on its way when we look. What is held is what lives after a collection and
 * what was allocated beside V8; all that is resident moves by 30 MiB with the room that V8 keeps for the young.
 */
async function rest(subject) {
  let least
  for (let turn = 0; turn < 6; turn++) {
    await pause(300)
    const now = { ...(await subject.ask('rest')), native: nativeBytes(subject.pid) }
    if (least === undefined || now.heapUsed + now.native < least.heapUsed + least.native) least = now
  }
  return least
}

/** Resident bytes of what malloc gave out. */
function nativeBytes(pid) {
  const [, heap = ''] = readFileSync(`/proc/${pid}/smaps`, 'utf8').split('[heap]\n')
  return Number(/^Rss: +(\d+) kB/m.exec(heap)?.[1] ?? 0) * 1024
}

/** CPU in microseconds a second of doing nothing. */
async function idleCpu(subject) {
  const before = await subject.used()
  await pause(IDLE_MS)
  return ((await subject.used()).cpuUs - before.cpuUs) / (IDLE_MS / 1000)
}

/** Lets the upstream's list grow, and waits until everybody has heard of it, and a while for those who hear twice. */
async function burst(subject, crowd, turn, restBytes) {
  const peak = watchPeak(subject.pid)
  const socket = await openSocket(subject.port)
  const start = Date.now()
  const lead = `POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\nmcp-protocol-version: ${NEWEST}\r\nmcp-method: tools/call\r\nmcp-name: bench__grow\r\n`
  const body = toCall(turn, 'modern', 'bench__grow')
  const reply = await exchange(socket, `${lead}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  if (!reply.includes(' tools"')) throw new Error(`The list did not grow:\n${reply.slice(0, 600)}`)
  socket.destroy()
  let seen = await crowd.count()
  for (let tries = 0; tries < 60 && (seen.heard[turn] ?? 0) < wanted; tries++) {
    await pause(250)
    seen = await crowd.count()
  }
  await pause(2_000)
  seen = await crowd.count()
  return {
    heardOnce: seen.heard[turn] ?? 0,
    open: seen.open,
    firstMs: seen.first - start,
    spreadMs: seen.last - seen.first,
    peakBytes: peak.stop() - restBytes,
  }
}

/** The kernel's view, since a process that is busy does not answer. */
function watchPeak(pid) {
  let most = 0
  const timer = setInterval(() => {
    const [, pages] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')
    most = Math.max(most, Number(pages) * 4096)
  }, 10)
  return {
    stop() {
      clearInterval(timer)
      return most
    },
  }
}

/** Several processes, since one may not open so many sockets. */
function startCrowd() {
  const children = Array.from({ length: PROCESSES }, () => fork(here('listeners.mjs')))
  const ask = (child, message) =>
    new Promise((resolve, reject) => {
      const stopped = () => reject(new Error('A process of listeners stopped'))
      child.once('exit', stopped)
      child.once('message', (answer) => {
        child.off('exit', stopped)
        resolve(answer)
      })
      child.send(message)
    })
  return {
    open: (count, port, era) =>
      Promise.all(children.map((child) => ask(child, { open: count / PROCESSES, port, era }))),
    close: () => Promise.all(children.map((child) => ask(child, 'close'))),
    async count() {
      const counts = await Promise.all(children.map((child) => ask(child, 'count')))
      const heard = {}
      for (const one of counts) {
        for (const [times, streams] of Object.entries(one.heard)) heard[times] = (heard[times] ?? 0) + streams
      }
      return {
        heard,
        open: counts.reduce((sum, { open }) => sum + open, 0),
        first: Math.min(...counts.map(({ first }) => first ?? Number.POSITIVE_INFINITY)),
        last: Math.max(...counts.map(({ last }) => last)),
      }
    },
    async stop() {
      for (const child of children) {
        if (child.exitCode !== null) continue
        child.kill()
        await once(child, 'exit')
      }
    },
  }
}

function holds({ streams, ratio, ours }) {
  const isTold = ours.bursts.every(
    ({ heardOnce, open, spreadMs, peakBytes }) =>
      heardOnce === streams && open === streams && spreadMs <= BUDGET.burstMs && peakBytes <= BUDGET.peakBytes,
  )
  return ratio <= BUDGET.memory && isTold
}

function print(report) {
  const { name, streams, bare, ours, ratio } = report
  console.log(`\n${streams.toLocaleString('en')} idle streams: ${name}`)
  for (const [who, { bytes, heapBytes, rss, cpu }] of [
    ['gateway', ours],
    ['bare server', bare],
  ]) {
    console.log(
      `  ${who.padEnd(12)} ${(bytes / 1024).toFixed(1).padStart(6)} KiB a stream, ${(heapBytes / 1024).toFixed(1)} of it objects; resident ${(rss / 1024).toFixed(1)}; ${(cpu / 1000).toFixed(1)} ms CPU a second`,
    )
  }
  console.log(`  ${ratio.toFixed(2)} times the bare server's memory (at most ${BUDGET.memory})`)
  for (const { heardOnce, open, firstMs, spreadMs, peakBytes } of ours.bursts) {
    console.log(
      `  a change reached ${heardOnce} once, the first after ${firstMs} ms and all within ${spreadMs} ms; ${open} open, ${(peakBytes / 2 ** 20).toFixed(0)} MiB more at the peak`,
    )
  }
  console.log(`  ${(ours.laterBytes / 1024).toFixed(1)} KiB a stream after that: ${holds(report) ? 'held' : 'MISSED'}`)
}
