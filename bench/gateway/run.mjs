// What the gateway costs beside a plain proxy, an upstream asked directly, another gateway, and itself in another
// pairing. All rows of a leg take turns within one run: the machine's speed drifts, the ratio of two neighbours in
// time does not.
//   npm run bench -- gateway [--rounds 7] [--scale 1] [--leg NAME] [--json] [--check]
import { parseArgs } from 'node:util'
import { createCast } from './cast.mjs'
import { LEGS } from './legs.mjs'
import { startLoad } from './load-process.mjs'
import { toReport } from './report.mjs'

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    /** Multiplies the number of calls of a round. */
    scale: { type: 'string', default: '1' },
    /** Only the legs whose name contains this. */
    leg: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    /** Exit with 1 when a budget is missed. */
    check: { type: 'boolean', default: false },
  },
})
const rounds = Number(flags.rounds)
const WARM_UPS = 3

const reports = []
for (const leg of LEGS) {
  if (!leg.name.includes(flags.leg)) continue
  const report = toReport(leg, await measure(leg))
  reports.push(report)
  if (!flags.json) print(report)
}
if (flags.json) console.log(JSON.stringify({ node: process.version, rounds, legs: reports }, null, 2))
if (reports.length === 0) {
  console.error(`No leg has "${flags.leg}" in its name; there are: ${LEGS.map(({ name }) => name).join(' · ')}`)
  process.exitCode = 2
}
const missed = reports.flatMap(({ budgets }) => budgets).filter(({ held }) => !held)
if (!flags.json && reports.length > 0) console.log(`\n${missed.length} of the budgets missed`)
if (flags.check && missed.length > 0) process.exitCode = 1

/** Rounds to warm up, as a process that has served for a minute is, then rounds in turn. */
async function measure({ name, rows, calls, concurrency }) {
  const cast = createCast()
  const load = startLoad()
  try {
    const live = []
    for (const row of rows) {
      const started = await row.start(cast)
      if (started !== undefined) live.push({ ...row, ...started, figures: [] })
    }
    for (let round = -WARM_UPS; round < rounds; round++) {
      for (const row of live) {
        const count = Math.ceil(calls * Number(flags.scale) * (row.share ?? 1))
        const before = await row.subject.used()
        const { ms, p50Us, failed, sample } = await load.run({ ...row.job, calls: count, concurrency })
        const after = await row.subject.used()
        if (failed > 0)
          throw new Error(`${name}: ${row.name} answered ${failed} of ${count} wrongly, such as:\n${sample}`)
        if (round < 0) continue
        row.figures.push({ cpuUs: (after.cpuUs - before.cpuUs) / count, rate: (count / ms) * 1000, p50Us })
      }
    }
    return live.map((row) => ({ name: row.name, figures: row.figures }))
  } finally {
    load.stop()
    await cast.stop()
  }
}

function print({ name, rows, budgets }) {
  console.log(`\n${name}`)
  for (const row of rows) {
    const figures = [
      `${row.cpuUs.toFixed(0).padStart(6)} us CPU`,
      `${row.rate.toFixed(0).padStart(6)} /s`,
      `${row.p50Us.toFixed(0).padStart(6)} us median`,
    ]
    console.log(`  ${row.name.padEnd(34)} ${figures.join('  ')}`)
  }
  for (const { text, value, held } of budgets) {
    console.log(
      `  ${text}: ${value === undefined ? 'not measured' : `${value.toFixed(2)}, ${held ? 'held' : 'MISSED'}`}`,
    )
  }
}
