// Everybody who plays in a leg. Each is started once, by what it is and what it is told, and all are stopped together.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startSubject } from '../subject.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const CROSSPOINT = here('../../packages/cli/bin/crosspoint.js')
const MCP_PROXY = here('../../interop/node_modules/mcp-proxy/dist/bin/mcp-proxy.mjs')
const STDIO_UPSTREAM = here('../peers/upstream-stdio.mjs')

export function createCast() {
  const folder = mkdtempSync(join(tmpdir(), 'crosspoint-bench-'))
  const started = new Map()
  const subjects = []
  const start = async (...args) => {
    const subject = await startSubject(...args)
    subjects.push(subject)
    return subject
  }
  /** The same for the same words. */
  const once = (key, make) => {
    const known = started.get(key) ?? make()
    started.set(key, known)
    return known
  }

  const cast = {
    /** A server over HTTP: of the newest revision and stateless, or of a handshake revision with sessions. */
    upstream: (era, tools = 1) =>
      once(`upstream ${era} ${tools}`, () => start('upstream', here(`../peers/upstream-${era}.mjs`), [String(tools)])),

    /** The floor: parse, rename, serialise, and nothing else. */
    plainProxy: (era, tools = 1) =>
      once(`plain ${era} ${tools}`, async () => {
        const { port } = await cast.upstream(era, tools)
        return start('plain proxy', here('../peers/plain-proxy.mjs'), [`http://127.0.0.1:${port}`])
      }),

    /** The gateway as it is installed, with its defaults: one line a call on stderr. */
    gateway: (era, { tools = 1, limits = {} } = {}) =>
      once(`gateway ${era} ${tools} ${JSON.stringify(limits)}`, async () => {
        const server =
          era === 'stdio'
            ? { command: process.execPath, args: [STDIO_UPSTREAM] }
            : { url: `http://127.0.0.1:${(await cast.upstream(era, tools)).port}/mcp` }
        const config = join(folder, `${started.size}.json`)
        writeFileSync(config, JSON.stringify({ mcpServers: { bench: server }, limits }))
        return start('gateway', CROSSPOINT, ['up', '--config', config, '--port', '0', '--json'])
      }),

    /** Takes what it is told, and says so. */
    collector: () => once('collector', () => start('collector', here('../peers/collector.mjs'), [])),

    /** The gateway with all of its rules at work, and a key for it. @param toTelemetry what it tells the collector */
    governed: (era, toTelemetry = () => ({})) =>
      once(`governed ${era} ${toTelemetry}`, async () => {
        const { port } = await cast.upstream(era)
        const own = join(folder, `governed-${started.size}`)
        mkdirSync(own)
        const config = join(own, 'crosspoint.json')
        const server = { url: `http://127.0.0.1:${port}/mcp` }
        const telemetry = toTelemetry(`http://127.0.0.1:${(await cast.collector()).port}`)
        writeFileSync(config, JSON.stringify({ mcpServers: { bench: server }, ...GOVERNED, telemetry }))
        const words = ['keys', 'create', '--principal', 'bench', '--role', 'caller', '--config', config, '--json']
        const { key } = JSON.parse(execFileSync(process.execPath, [CROSSPOINT, ...words], { encoding: 'utf8' }))
        const subject = await start('governed gateway', CROSSPOINT, ['up', '--config', config, '--port', '0', '--json'])
        return { subject, token: key }
      }),

    /** Undefined where it is not installed. */
    mcpProxy: () =>
      once('mcp-proxy', async () => {
        if (!existsSync(MCP_PROXY)) {
          console.error('SKIPPED: mcp-proxy is not installed; run `npm ci --prefix interop` to measure beside it')
          return undefined
        }
        const port = await freePort()
        const args = ['--host', '127.0.0.1', '--port', String(port), '--server', 'stream']
        return start('mcp-proxy', MCP_PROXY, [...args, '--', process.execPath, STDIO_UPSTREAM], {
          ready: (line) => (/server|listening|starting/i.test(line) ? port : undefined),
        })
      }),

    async stop() {
      for (const subject of subjects.reverse()) await subject.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return cast
}

/** Identity, scopes, rules of which one waits for arguments, limits, a cache that never has it, a breaker, evidence. */
const GOVERNED = {
  auth: {},
  store: { path: 'store.db' },
  audit: { keyFile: 'audit.key' },
  scopes: { use: { tools: ['*'] } },
  roles: { caller: { scopes: ['use'] } },
  policy: {
    rules: [
      ...Array.from({ length: 50 }, (_, at) => ({
        name: `other-${at}`,
        effect: 'deny',
        tools: [`other${at}__*`],
        when: 'principal.id != "root"',
      })),
      { name: 'long', effect: 'deny', tools: ['bench__*'], when: 'size(arguments.message) > 10000' },
    ],
  },
  traffic: {
    limits: [{ name: 'all', per: 'principal', calls: 100_000_000, windowMs: 60_000 }],
    cache: { rules: [{ match: { tools: ['bench__*'] }, unsafe: true, ttlMs: 100 }] },
    breakers: [{}],
  },
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
