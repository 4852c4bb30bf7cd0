// What evidence costs the calls beside it: a gateway that writes 20,000 records a second more than its calls make, beside
// the same gateway that does not, in turns.
//   npm run bench -- evidence [--rounds 7] [--records 20000] [--json] [--check]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startLoad } from '../gateway/load-process.mjs'
import { startSubject } from '../subject.mjs'

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    records: { type: 'string', default: '20000' },
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
})
const rounds = Number(flags.rounds)
const wanted = Number(flags.records)
const CALLS = 2_000
const WARM_UPS = 2
const BUDGET = { slower: 1.1, share: 0.98 }
const here = (path) => fileURLToPath(new URL(path, import.meta.url))

const folder = mkdtempSync(join(tmpdir(), 'crosspoint-bench-'))
const upstream = await startSubject('upstream', here('../peers/upstream-modern.mjs'), ['1'])
const config = join(folder, 'crosspoint.json')
const servers = { bench: { url: `http://127.0.0.1:${upstream.port}/mcp` } }
writeFileSync(config, JSON.stringify({ mcpServers: servers, store: { path: 'store.db' }, audit: { keyFile: 'key' } }))
const gateway = await startSubject('gateway', here('../peers/recording-gateway.mjs'), [config])
const load = startLoad()
const figures = { quiet: [], busy: [] }
const accepted = []
try {
  for (let round = -WARM_UPS; round < rounds; round++) {
    for (const kind of round % 2 === 0 ? ['quiet', 'busy'] : ['busy', 'quiet']) {
      const figure = await measure(kind === 'busy' ? wanted : 0)
      if (round < 0) continue
      figures[kind].push(figure.p50Us)
      if (kind === 'busy') accepted.push(figure.rate)
    }
  }
} finally {
  load.stop()
  await gateway.stop()
  await upstream.stop()
  rmSync(folder, { recursive: true, force: true })
}
const quietUs = median(figures.quiet)
const busyUs = median(figures.busy)
const report = {
  node: process.version,
  rounds,
  quietUs,
  busyUs,
  slower: busyUs / quietUs,
  recordsASecond: median(accepted),
}
const isHeld = report.slower <= BUDGET.slower && report.recordsASecond >= wanted * BUDGET.share
if (flags.json) console.log(JSON.stringify(report, null, 2))
else {
  console.log(
    `median of a call: ${quietUs.toFixed(0)} us; with ${report.recordsASecond.toFixed(0)} records a second more: ${busyUs.toFixed(0)} us`,
  )
  console.log(`  times slower, at most ${BUDGET.slower}: ${report.slower.toFixed(2)}, ${isHeld ? 'held' : 'MISSED'}`)
}
if (flags.check && !isHeld) process.exitCode = 1

/** One call after the other, while records are made; then until the store has them all. */
async function measure(rate) {
  const { kept: before } = await gateway.ask('kept')
  const start = performance.now()
  await gateway.ask(rate)
  const job = { port: gateway.port, era: 'modern', method: 'tools/call', tool: 'bench__echo' }
  const { failed, sample, p50Us } = await load.run({ ...job, calls: CALLS, concurrency: 1 })
  if (failed > 0) throw new Error(`${failed} calls were answered wrongly, such as:\n${sample}`)
  await gateway.ask(0)
  const ms = performance.now() - start
  await pause(300)
  const { kept, lost } = await gateway.ask('kept')
  if (lost) throw new Error('Records were lost')
  return { p50Us, rate: ((kept - before - CALLS) / ms) * 1000 }
}

function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1]
}
