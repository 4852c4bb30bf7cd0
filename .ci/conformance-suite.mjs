import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The official suite as a program, and what it is held against: two fixtures, and the gateway. */
const root = fileURLToPath(new URL('..', import.meta.url))
const SUITE = join(root, 'interop/node_modules/@modelcontextprotocol/conformance/dist/index.js')
const NODE = join(root, 'interop/node_modules/node22/bin/node') // the suite's command line needs Node 22
const SERVER = join(root, 'packages/testkit/dist/conformance/server.js')
const GATEWAY = join(root, 'packages/cli/bin/crosspoint.js')
const CLIENT = join(root, 'packages/testkit/dist/conformance-client.js')
const LOOPBACK = fileURLToPath(new URL('loopback.mjs', import.meta.url))
const SUITE_LIMIT_MS = 300_000
const START_LIMIT_MS = 20_000
/** Of what a program wrote before it ended. */
const MAX_LINES = 100

/** What has to be there and is not; undefined when all is. */
export const missing = [SUITE, NODE, SERVER, CLIENT].find((path) => !existsSync(path))
/** The same, without the suite itself. */
export const missingToServe = [SERVER].find((path) => !existsSync(path))

/**
 * The scenarios of one side, as the suite lists them.
 * @param {'--server' | '--client'} side
 * @param {string | undefined} revision those of one revision; undefined: those of extensions, which belong to none
 * @param {string | undefined} only the one of this name
 * @returns {Promise<string[]>}
 */
export async function listScenarios(side, revision, only) {
  const { printed } = await runSuite(['list', side, ...(revision === undefined ? [] : ['--spec-version', revision])])
  return [...printed.matchAll(/^ +- (\S+) \[(.*)\]/gm)]
    .filter(([, name, of]) => (of === 'extension') === (revision === undefined) && (only ?? name) === name)
    .map(([, name]) => name)
}

/**
 * Holds a server against every scenario of a revision, or of the extensions.
 * @param {{ scenario?: string, keep?: boolean }} options `scenario`: only the one of this name
 * @returns {Promise<Map<string, object[]>>} checks by scenario; none for one that never reported
 */
export async function runServerLeg(url, revision, { scenario, keep }) {
  const names = await listScenarios('--server', revision, scenario)
  const args = revision === undefined ? [] : ['--spec-version', revision]
  // A revision has all of its scenarios run by one process; those of extensions are chosen one by one.
  const batches =
    revision === undefined || scenario !== undefined ? names.map((name) => ['--scenario', name]) : [['--suite', 'all']]
  const reports = new Map(names.map((name) => [name, []]))
  for (const batch of batches) {
    for (const [name, checks] of await runServerScenarios(url, [...args, ...batch], keep)) reports.set(name, checks)
  }
  return reports
}

async function runServerScenarios(url, args, keep) {
  return withReports(keep, async (folder) => {
    await runSuite(['server', '--url', url, ...args, '-o', folder])
    return readReports(folder)
  })
}

/**
 * Holds the fixture client against one scenario. The suite counts a client that ends with an error as failed, and
 * writes that into no report: it is put there as a check of its own.
 */
export async function runClientScenario(name, args, keep) {
  return withReports(keep, async (folder) => {
    const command = `${process.execPath} ${CLIENT}`
    const { printed, code } = await runSuite([
      'client',
      '--command',
      command,
      '--scenario',
      name,
      ...args,
      '-o',
      folder,
    ])
    const [checks = []] = [...(await readReports(folder)).values()]
    const hasFailed = checks.some(({ status }) => status === 'FAILURE' || status === 'WARNING')
    if (code === 0 || hasFailed) return checks
    return [
      ...checks,
      { id: 'exit', status: 'FAILURE', errorMessage: `The suite ended with ${code}:\n${tail(printed)}` },
    ]
  })
}

/**
 * Holds an authorization server against all scenarios there are for one.
 * @param {string} url of an endpoint that its tokens are for, at the same address
 * @param {{ port: number, keep?: boolean, follow: (url: string) => Promise<void> }} options `port`: where the suite is
 *   sent back to; `follow`: what somebody does with the link it prints
 * @returns {Promise<Map<string, object[]>>} checks by scenario
 */
export async function runAuthorizationLeg(url, { port, keep, follow }) {
  return withReports(keep, async (folder) => {
    const { origin } = new URL(url)
    const about = ['--url', origin, '--client-id', 'suite', '--resource', url, '--port', String(port)]
    let asked
    const look = (printed) => {
      const link = new RegExp(`${origin}/authorize\\?\\S+`).exec(printed)?.[0]
      // Printed whole: the end of the line is there.
      if (link !== undefined && asked === undefined && printed.includes(`${link}\n`)) asked = follow(link)
    }
    await runSuite(['authorization', ...about, '-o', folder], look)
    await asked
    return readReports(folder)
  })
}

/**
 * The fixture server on any free port.
 * @param {'dual' | 'legacy' | 'modern'} era which revisions it offers
 */
export function startServer(era = 'dual') {
  return start('The fixture server', [SERVER, '--port', '0', '--era', era], {
    stdio: ['ignore', 'ignore', 'pipe'],
    toUrl: (line) => /^listening on (\S+)$/.exec(line)?.[1],
  })
}

/** Any command of ours that serves until it is stopped, and says where. */
export function startProgram(what, args) {
  return start(what, args, { stdio: ['ignore', 'pipe', 'inherit'], toUrl: (line) => JSON.parse(line).url })
}

/** The gateway, as anybody would start it, in front of one server whose names stay as they are. */
export async function startGateway(upstream, port) {
  const folder = await mkdtemp(join(tmpdir(), 'conformance-gateway-'))
  const config = join(folder, 'crosspoint.json')
  await writeFile(
    config,
    JSON.stringify({ servers: { fixture: { url: upstream, prefix: '' } }, log: { level: 'error' } }),
  )
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    const args = [GATEWAY, 'up', '--json', '--no-watch', '--config', config, '--port', String(port)]
    const { stop, ...started } = await start('The gateway', args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      toUrl: (line) => JSON.parse(line).url,
    })
    return { ...started, stop: () => stop().finally(remove) }
  } catch (error) {
    await remove()
    throw error
  }
}

/**
 * Starts a program and waits until a line of what it writes says where it listens.
 * @returns {Promise<{ url: string, ended: Promise<unknown>, stop: () => Promise<void> }>}
 */
async function start(what, args, { stdio, toUrl }) {
  const child = spawn(process.execPath, args, { stdio, env: withoutSettings(process.env) })
  const ended = once(child, 'exit')
  const isGone = () => child.exitCode !== null || child.signalCode !== null
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const lines = []
  try {
    const url = await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${what} did not start in time`)), START_LIMIT_MS)
      ended.then(() => {
        clearTimeout(timer)
        reject(new Error([`${what} ended`, ...lines].join('\n')))
      })
      createInterface(child.stdout ?? child.stderr).on('line', (line) => {
        if (lines.push(line) > MAX_LINES) lines.shift()
        const found = toUrl(line)
        if (found === undefined) return
        clearTimeout(timer)
        resolve(found)
      })
    })
    return {
      url,
      ended,
      async stop() {
        if (!isGone()) child.kill('SIGTERM')
        await ended
        process.removeListener('exit', kill)
      },
    }
  } catch (error) {
    kill()
    throw error
  }
}

/** Settings of whoever runs this are none of the gateway's. */
function withoutSettings(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('CROSSPOINT_')))
}

/** Does something for each, a few at once; results in the order of the items. */
export async function forEach(items, atOnce, run) {
  const results = []
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      const at = next++
      results[at] = await run(items[at])
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}

async function withReports(keep, run) {
  const folder = await mkdtemp(join(tmpdir(), 'conformance-'))
  try {
    return await run(folder)
  } finally {
    if (keep) console.log(`reports in ${folder}`)
    else await rm(folder, { recursive: true })
  }
}

/** Runs the suite's command line and gives what it printed. For a server the exit code only says that some check failed. */
async function runSuite(args, look = () => {}) {
  const child = spawn(NODE, ['--import', LOOPBACK, SUITE, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), SUITE_LIMIT_MS)
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    printed += text
    look(printed)
  })
  child.stderr.setEncoding('utf8').on('data', (text) => (printed += text))
  const [code, signal] = await once(child, 'close')
  clearTimeout(timer)
  if (signal !== null) throw new Error(`The suite was ended by ${signal}:\n${tail(printed)}`)
  return { printed, code }
}

/** Reports are called [server-]<scenario>-<ISO time with dashes>/checks.json; a scenario's name may have a slash. */
async function readReports(folder) {
  const found = new Map()
  for (const path of await readdir(folder, { recursive: true })) {
    if (!path.endsWith('checks.json')) continue
    const name = /^(?:server-)?(.+)-\d{4}-\d{2}-\d{2}T[\d-]+Z\/checks\.json$/.exec(path)?.[1]
    if (name === undefined) throw new Error(`Cannot tell which scenario "${path}" reports on`)
    found.set(name, JSON.parse(await readFile(join(folder, path), 'utf8')))
  }
  return found
}

function tail(text) {
  return text.slice(-2000)
}
