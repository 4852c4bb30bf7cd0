import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The official suite as a program, and the two fixtures it is held against. */
const root = fileURLToPath(new URL('..', import.meta.url))
const SUITE = join(root, 'interop/node_modules/@modelcontextprotocol/conformance/dist/index.js')
const NODE = join(root, 'interop/node_modules/node22/bin/node') // the suite's command line needs Node 22
const SERVER = join(root, 'packages/testkit/dist/conformance/server.js')
const CLIENT = join(root, 'packages/testkit/dist/conformance-client.js')
const LOOPBACK = fileURLToPath(new URL('loopback.mjs', import.meta.url))
const SUITE_LIMIT_MS = 300_000
const START_LIMIT_MS = 20_000

/** What has to be there and is not; undefined when all is. */
export const missing = [SUITE, NODE, SERVER, CLIENT].find((path) => !existsSync(path))

/**
 * The scenarios of one side, as the suite lists them.
 * @param {'--server' | '--client'} side
 * @param {string | undefined} revision only those of one revision
 */
export async function listScenarios(side, revision) {
  const { printed } = await runSuite(['list', side, ...(revision === undefined ? [] : ['--spec-version', revision])])
  return [...printed.matchAll(/^ +- (\S+) \[(.*)\]/gm)].map(([, name, of]) => ({
    name,
    isExtension: of === 'extension',
  }))
}

/**
 * Holds the fixture server against scenarios, one after the other.
 * @param {string[]} args which ones: arguments of the suite
 * @returns {Promise<Map<string, object[]>>} checks by scenario, of those that reported
 */
export async function runServerScenarios(url, args, keep) {
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

export async function startServer() {
  const child = spawn(process.execPath, [SERVER, '--port', '0'], { stdio: ['ignore', 'ignore', 'pipe'] })
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
async function runSuite(args) {
  const child = spawn(NODE, ['--import', LOOPBACK, SUITE, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), SUITE_LIMIT_MS)
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (printed += text))
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
