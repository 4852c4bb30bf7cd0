import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { judge } from './conformance-judge.mjs'
import { createTally } from './tally.mjs'

/**
 * Holds the fixture server (packages/testkit) against the official conformance suite, revision by revision, and
 * compares scenario by scenario with the baseline (conformance-judge.mjs says how).
 *
 *   node .ci/conformance.mjs [--revision R] [--scenario S] [--keep]
 *
 * `--scenario` shows one scenario's checks and does not count them. `--keep` keeps the suite's own reports.
 */
const root = fileURLToPath(new URL('..', import.meta.url))
const SUITE = join(root, 'interop/node_modules/@modelcontextprotocol/conformance/dist/index.js')
const NODE = join(root, 'interop/node_modules/node22/bin/node') // the suite's command line needs Node 22
const FIXTURE = join(root, 'packages/testkit/dist/conformance/server.js')
const BASELINE = join(root, 'packages/testkit/conformance-baseline.yml')
const LOOPBACK = fileURLToPath(new URL('loopback.mjs', import.meta.url))
const REVISION_LIMIT_MS = 300_000
const START_LIMIT_MS = 20_000

const { values: options } = parseArgs({
  options: { revision: { type: 'string' }, scenario: { type: 'string' }, keep: { type: 'boolean' } },
})

const missing = [SUITE, NODE, FIXTURE].find((path) => !existsSync(path))
if (missing === undefined) await main()
else {
  console.error(`Cannot run the conformance suite without ${missing}; try: npm run build && npm ci --prefix interop`)
  process.exitCode = 2
}

async function main() {
  const { revisions } = parse(await readFile(BASELINE, 'utf8'))
  const tally = createTally('conformance')
  let passed = 0
  let failed = 0
  for (const [revision, expected] of Object.entries(revisions)) {
    if (options.revision !== undefined && options.revision !== revision) continue
    const reports = await runRevision(revision)
    if (options.scenario !== undefined) {
      for (const check of reports.get(options.scenario) ?? []) console.log(revision, check)
      continue
    }
    const outcome = judge(reports, expected)
    for (const title of outcome.passed) tally.pass(`${revision} ${title}`)
    for (const [title, why] of outcome.failed) tally.fail(`${revision} ${title}`, why)
    passed += outcome.passed.length
    failed += outcome.failed.length
    console.log(`${revision}: ${outcome.summary}`)
  }
  if (options.scenario !== undefined) return
  tally.finish() // sets the exit code; running nothing is a failure
  console.log(`${passed} passed, ${failed} failed`)
}

/** Every scenario the suite has for a revision, with its checks; none for one that never reported. */
async function runRevision(revision) {
  const reports = await mkdtemp(join(tmpdir(), 'conformance-'))
  const server = await startFixture()
  try {
    const listed = await runSuite(['list', '--server', '--spec-version', revision])
    const names = [...listed.matchAll(/^ +- (\S+) \[/gm)].map((found) => found[1])
    const one = options.scenario === undefined ? ['--suite', 'all'] : ['--scenario', options.scenario]
    await runSuite(['server', '--url', server.url, '--spec-version', revision, ...one, '-o', reports])
    return await readReports(reports, names)
  } finally {
    await server.stop()
    if (options.keep) console.log(`${revision}: reports in ${reports}`)
    else await rm(reports, { recursive: true })
  }
}

async function startFixture() {
  const child = spawn(process.execPath, [FIXTURE, '--port', '0'], { stdio: ['ignore', 'ignore', 'pipe'] })
  const stop = () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    return once(child, 'exit')
  }
  process.once('exit', stop)
  const lines = []
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('The fixture server did not start in time')), START_LIMIT_MS)
    child.once('exit', () => reject(new Error(`The fixture server ended:\n${lines.join('\n')}`)))
    createInterface(child.stderr).on('line', (line) => {
      lines.push(line)
      const found = /^listening on (\S+)$/.exec(line)
      if (found === null) return
      clearTimeout(timer)
      resolve(found[1])
    })
  })
  return {
    url,
    async stop() {
      process.removeListener('exit', stop)
      await stop()
    },
  }
}

/** Runs the suite's command line and gives what it printed. Its exit code only says that some check failed. */
async function runSuite(args) {
  const child = spawn(NODE, ['--import', LOOPBACK, SUITE, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), REVISION_LIMIT_MS)
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (printed += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (printed += text))
  const [, signal] = await once(child, 'close')
  clearTimeout(timer)
  if (signal !== null) throw new Error(`The suite was ended by ${signal}:\n${printed.slice(-2000)}`)
  return printed
}

async function readReports(folder, names) {
  const found = new Map(names.map((name) => [name, []]))
  for (const entry of await readdir(folder)) {
    // Folders are called server-<scenario>-<ISO time with dashes>.
    const name = /^server-(.+)-\d{4}-\d{2}-\d{2}T[\d-]+Z$/.exec(entry)?.[1]
    if (name === undefined) throw new Error(`Cannot tell which scenario "${entry}" reports on`)
    found.set(name, JSON.parse(await readFile(join(folder, entry, 'checks.json'), 'utf8')))
  }
  return found
}
