import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { missing, runAuthorizationLeg, startProgram } from './conformance-suite.mjs'
import { createTally } from './tally.mjs'

/**
 * Holds the authorization server of the gateway against the official conformance suite: its metadata, and a whole
 * sign-in, in which somebody with an account follows the link that the suite prints.
 *
 *   node .ci/conformance-authorization.mjs [--keep]
 */
const { createBrowser } = await import('../packages/testkit/dist/oauth/browser.js')
const GATEWAY = new URL('../packages/cli/bin/crosspoint.js', import.meta.url).pathname
/** As many as there are: one that never reported is a failure. */
const EXPECTED = { scenarios: 2, checks: 3 }
const PASSWORD = 'a password of somebody'

if (missing === undefined) await run()
else {
  console.error(`Cannot run the conformance suite without ${missing}; try: npm run build && npm ci --prefix interop`)
  process.exitCode = 1
}

async function run() {
  const tally = createTally('conformance-authorization')
  const folder = await mkdtemp(join(tmpdir(), 'conformance-authorization-'))
  try {
    const port = await freePort()
    const config = join(folder, 'crosspoint.json')
    const clients = { suite: { redirectUris: [`http://127.0.0.1:${port}/callback`] } }
    const server = { keyFile: 'auth-server.key', clients }
    const store = { path: 'store.db' }
    await writeFile(config, JSON.stringify({ servers: {}, auth: { server }, store, log: { level: 'error' } }))
    await addAccount(config)
    const gateway = await startProgram('The gateway', [
      GATEWAY,
      'up',
      '--json',
      '--no-watch',
      '--config',
      config,
      '--port',
      '0',
    ])
    try {
      const reports = await runAuthorizationLeg(gateway.url, { port, keep: process.argv.includes('--keep'), follow })
      count(reports, tally)
    } finally {
      await gateway.stop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  tally.finish()
}

function count(reports, tally) {
  const checks = [...reports.values()].flat().filter(({ status }) => status !== 'INFO')
  for (const [scenario, found] of reports) {
    for (const { id, status, errorMessage } of found) {
      if (status === 'SUCCESS') tally.pass(`${scenario} ${id}`)
      else if (status !== 'INFO') tally.fail(`${scenario} ${id}`, errorMessage ?? status)
    }
  }
  const counted = { scenarios: reports.size, checks: checks.length }
  if (JSON.stringify(counted) === JSON.stringify(EXPECTED)) tally.pass('as many checks as there are')
  else tally.fail('as many checks as there are', `${JSON.stringify(counted)} instead of ${JSON.stringify(EXPECTED)}`)
}

/** Somebody signs in, and allows it. */
async function follow(url) {
  const browser = createBrowser()
  const consent = await browser.submit(await browser.open(url), { name: 'ann', password: PASSWORD })
  await browser.submit(consent, { answer: 'allow' })
}

async function addAccount(config) {
  const child = spawn(process.execPath, [GATEWAY, 'accounts', 'add', 'ann', '--config', config], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.stdin.end(`${PASSWORD}\n`)
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`No account could be made: ${code}`)
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
