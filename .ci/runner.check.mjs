// Proves that `.ci/run` cannot be green by accident: each way a step can go wrong is tried on the real runner, and
// the last line has to say so.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { createTally } from './tally.mjs'

const runner = fileURLToPath(new URL('runner.mjs', import.meta.url))
const root = fileURLToPath(new URL('..', import.meta.url))

const node = (code) => [process.execPath, '--input-type=module', '-e', code]
const good = { name: 'good', run: node('') }
/** A program that leaves the vitest report it is told; its last argument is `--outputFile.json=…`. */
const reports = (...statuses) =>
  node(`
    import { writeFileSync } from 'node:fs'
    const assertionResults = ${JSON.stringify(statuses)}.map((status) => ({ status, fullName: status }))
    writeFileSync(process.argv.at(-1).split('=')[1], JSON.stringify({ testResults: [{ name: '/x', assertionResults }] }))
  `).concat('--')
const tallies = (...lines) =>
  node(`
    import { appendFileSync } from 'node:fs'
    for (const line of ${JSON.stringify(lines)}) appendFileSync(process.env.CI_TALLY, JSON.stringify(line) + '\\n')
  `)

const cases = {
  'all good': [[good, { name: 'next', run: node(''), after: ['good'] }], '2 passed, 0 failed'],
  'a step fails, and what comes after it': [
    [
      { name: 'bad', run: node('process.exit(3)') },
      { name: 'next', run: node(''), after: ['bad'] },
      { name: 'last', run: node(''), after: ['next'] },
      good,
    ],
    '1 passed, 3 failed',
  ],
  'a program that is not there': [[{ name: 'none', run: ['no-such-program'] }], '0 passed, 1 failed'],
  'a step after one that is not there': [
    [good, { name: 'lost', run: node(''), after: ['nobody'] }],
    '1 passed, 1 failed',
  ],
  'tests that pass': [[{ name: 't', counts: 'vitest', run: reports('passed', 'passed') }], '2 passed, 0 failed'],
  'a test that fails': [[{ name: 't', counts: 'vitest', run: reports('passed', 'failed') }], '1 passed, 1 failed'],
  'a test that is skipped': [
    [{ name: 't', counts: 'vitest', run: reports('passed', 'pending') }],
    '1 passed, 1 failed',
  ],
  'a test file without a test': [[{ name: 't', counts: 'vitest', run: reports() }], '0 passed, 1 failed'],
  'tests without a report': [[{ name: 't', counts: 'vitest', run: node('') }], '0 passed, 1 failed'],
  'a tally': [[{ name: 't', counts: 'tally', run: tallies({ passed: 3, failed: 0 }) }], '3 passed, 0 failed'],
  'a tally with a failure': [
    [{ name: 't', counts: 'tally', run: tallies({ passed: 3, failed: 2 }) }],
    '3 passed, 2 failed',
  ],
  'a tally of nothing': [[{ name: 't', counts: 'tally', run: node('') }], '0 passed, 1 failed'],
  'a tally that died': [
    [{ name: 't', counts: 'tally', run: [...tallies({ passed: 3, failed: 0 }).slice(0, -1), 'process.exit(1)'] }],
    '0 passed, 1 failed',
  ],
}

const tally = createTally('runner')
for (const [title, [steps, expected]] of Object.entries(cases)) {
  await tally.check(title, async () => {
    const { code, last } = await runWith(steps)
    if (last !== expected) throw new Error(`The last line is "${last}", not "${expected}"`)
    if ((code === 0) !== expected.endsWith(' 0 failed')) throw new Error(`The exit code is ${code}`)
  })
}
await tally.check('a run that is stopped', async () => {
  const hang = { name: 'hang', run: node(`process.kill(process.ppid, 'SIGTERM'); setInterval(() => {}, 1000)`) }
  const { code, last } = await runWith([hang])
  if (last !== '0 passed, 1 failed' || code === 0) throw new Error(`The last line is "${last}", the exit code ${code}`)
})
tally.finish()

function runWith(steps) {
  const code = `
    import { runSteps } from ${JSON.stringify(runner)}
    process.exitCode = await runSteps(${JSON.stringify(steps)}, { root: ${JSON.stringify(root)}, only: [] })
  `
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (more) => {
      text += more
    })
    child.once('error', reject)
    child.once('close', (exit) => resolve({ code: exit, last: text.trimEnd().split('\n').at(-1) }))
  })
}
