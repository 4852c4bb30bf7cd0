import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { judge } from './conformance-judge.mjs'
import { missing, missingToServe, runServerLeg, startGateway, startServer } from './conformance-suite.mjs'
import { createTally } from './tally.mjs'

/**
 * The gateway in front of the fixture server of packages/testkit, for the official conformance suite: what it finds
 * at the gateway should be what it finds at the server itself, whatever revisions that has.
 *
 *   node .ci/conformance-gateway.mjs [--upstream-era dual|legacy|modern] [--port N]
 *   node .ci/conformance-gateway.mjs --run [--upstream-era E] [--revision R] [--scenario S] [--keep]
 *
 * Says `listening on <url>` on stderr and stays until SIGTERM or SIGINT. With `--run` it holds the suite against
 * itself, leg by leg, and compares with the baseline (conformance-judge.mjs says how); `--upstream-era` and
 * `--revision` choose legs. `--scenario` shows one scenario's checks and does not count them. `--keep` keeps the
 * suite's own reports. The leg `extensions` is what belongs to no revision.
 */
const BASELINE = fileURLToPath(new URL('../packages/testkit/conformance-gateway-baseline.yml', import.meta.url))
const ERAS = ['dual', 'legacy', 'modern']

const { values: options } = parseArgs({
  options: {
    run: { type: 'boolean' },
    'upstream-era': { type: 'string' },
    port: { type: 'string', default: '0' },
    revision: { type: 'string' },
    scenario: { type: 'string' },
    keep: { type: 'boolean' },
  },
})
const era = options['upstream-era']
const absent = options.run ? missing : missingToServe

if (absent !== undefined) fail(`Cannot do this without ${absent}; try: npm run build && npm ci --prefix interop`)
else if (era !== undefined && !ERAS.includes(era)) fail(`Cannot serve the era "${era}": there are ${ERAS.join(', ')}`)
else if (options.run) await run()
else await serve(era ?? 'dual', options.port).catch((error) => fail(error.message))

/** For a referee from outside. */
async function serve(of, port) {
  const stopping = new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, resolve)
  })
  const front = await openFront(of, port)
  console.error(`listening on ${front.url}`)
  const why = await Promise.race([stopping, front.ended])
  await front.stop()
  if (why !== undefined) return
  fail('What was served is gone')
}

async function run() {
  const baseline = parse(await readFile(BASELINE, 'utf8'))
  const legs = Object.entries(baseline).flatMap(([of, revisions]) =>
    Object.entries(revisions).map(([revision, expected]) => ({ of, revision, expected })),
  )
  const chosen = legs.filter(({ of, revision }) => (era ?? of) === of && (options.revision ?? revision) === revision)
  const tally = createTally('conformance-gateway')
  for (const { of, revision, expected } of chosen) {
    const began = performance.now()
    const reports = await runLeg(of, revision)
    const leg = `${of} server at ${revision}`
    if (options.scenario !== undefined) {
      for (const check of reports.get(options.scenario) ?? []) console.log(leg, check)
      continue
    }
    const { passed, failed, counts } = judge(reports, expected)
    for (const title of passed) tally.pass(`${leg} ${title}`)
    for (const [title, why] of failed) tally.fail(`${leg} ${title}`, why)
    const took = ((performance.now() - began) / 1000).toFixed(1)
    const { scenarios, checks } = counts
    console.log(
      `${leg}: ${scenarios.good} of ${scenarios.all} scenarios, ${checks.good} of ${checks.all} checks; ${took} s`,
    )
    if (counts.failing.length > 0) console.log(`  failing: ${counts.failing.join(', ')}`)
  }
  if (options.scenario === undefined) tally.finish() // sets the exit code; running nothing is a failure
}

async function runLeg(of, revision) {
  const front = await openFront(of, 0)
  try {
    return await runServerLeg(front.url, revision === 'extensions' ? undefined : revision, options)
  } finally {
    await front.stop()
  }
}

/** Both processes; what is started is stopped, the gateway first. */
async function openFront(of, port) {
  const server = await startServer(of)
  try {
    const gateway = await startGateway(server.url, port)
    return {
      url: gateway.url,
      ended: Promise.race([gateway.ended, server.ended]).then(() => undefined),
      stop: () => gateway.stop().finally(server.stop),
    }
  } catch (error) {
    await server.stop()
    throw error
  }
}

function fail(message) {
  console.error(message)
  process.exitCode = 2
}
