import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { judge } from './conformance-judge.mjs'
import { forEach, listScenarios, missing, runClientScenario, runServerLeg, startServer } from './conformance-suite.mjs'
import { createTally } from './tally.mjs'

/**
 * Holds the fixtures of packages/testkit against the official conformance suite, leg by leg, and compares scenario by
 * scenario with the baseline (conformance-judge.mjs says how).
 *
 *   node .ci/conformance.mjs [server|client|extensions] [--revision R] [--scenario S] [--keep]
 *
 * `server` and `client` run every revision, `extensions` both sides of what belongs to none; `--revision` is one leg
 * of them. `--scenario` shows one scenario's checks and does not count them. `--keep` keeps the suite's own reports.
 */
const BASELINE = fileURLToPath(new URL('../packages/testkit/conformance-baseline.yml', import.meta.url))
/** Scenarios of a client, each two processes. The suite by itself would run them all at once and then time out. */
const AT_ONCE = Math.min(2, availableParallelism())

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { revision: { type: 'string' }, scenario: { type: 'string' }, keep: { type: 'boolean' } },
})
const [part = 'server'] = positionals

const PARTS = {
  server: (baseline) => toLegs(baseline.server, runServer),
  client: (baseline) => toLegs(baseline.client, (revision) => runClient(['--spec-version', revision], revision)),
  extensions: (baseline) =>
    toLegs(baseline.extensions, (side) => (side === 'server' ? runServer(undefined) : runClient([], undefined))),
}

if (missing !== undefined) {
  console.error(`Cannot run the conformance suite without ${missing}; try: npm run build && npm ci --prefix interop`)
  process.exitCode = 2
} else if (PARTS[part] === undefined) {
  console.error(`Cannot run "${part}": there are ${Object.keys(PARTS).join(', ')}`)
  process.exitCode = 2
} else await main()

async function main() {
  const legs = PARTS[part](parse(await readFile(BASELINE, 'utf8')))
  const tally = createTally(part === 'server' ? 'conformance' : `conformance-${part}`)
  let passed = 0
  let failed = 0
  for (const { name, expected, run } of legs) {
    const began = performance.now()
    const reports = await run()
    if (options.scenario !== undefined) {
      for (const check of reports.get(options.scenario) ?? []) console.log(name, check)
      continue
    }
    const outcome = judge(reports, expected)
    for (const title of outcome.passed) tally.pass(`${name} ${title}`)
    for (const [title, why] of outcome.failed) tally.fail(`${name} ${title}`, why)
    passed += outcome.passed.length
    failed += outcome.failed.length
    console.log(`${part} ${name}: ${outcome.summary}; ${((performance.now() - began) / 1000).toFixed(1)} s`)
  }
  if (options.scenario !== undefined) return
  tally.finish() // sets the exit code; running nothing is a failure
  console.log(`${passed} passed, ${failed} failed`)
}

function toLegs(baseline, run) {
  return Object.entries(baseline)
    .filter(([name]) => options.revision === undefined || options.revision === name)
    .map(([name, expected]) => ({ name, expected, run: () => run(name) }))
}

async function runServer(revision) {
  const server = await startServer()
  try {
    return await runServerLeg(server.url, revision, options)
  } finally {
    await server.stop()
  }
}

async function runClient(args, revision) {
  const names = await listScenarios('--client', revision, options.scenario)
  const reports = await forEach(names, AT_ONCE, (name) => runClientScenario(name, args, options.keep))
  return new Map(names.map((name, at) => [name, reports[at]]))
}
