import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { McpError } from '@crosspoint/mcp'
import { createServer } from '@crosspoint/mcp/server'
import { openHttpDoor } from '@crosspoint/mcp/transports'
import { expect, it, onTestFinished } from 'vitest'
import { startAuthorizationServer } from './authorization-server.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const guide = readFileSync(`${root}docs/guides/authorization.md`, 'utf8')
const blocksOf = (language: string) =>
  [...guide.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, text = '']) => text)
const sources = new Map(
  blocksOf('js').map((text) => [text.includes('clientCredentials') ? 'job.mjs' : 'host.mjs', text]),
)

/** A server that calls whoever signed in with a browser `ann`. */
async function start(): Promise<string> {
  const issuedBy = await startAuthorizationServer()
  onTestFinished(() => issuedBy.stop())
  const server = createServer({
    name: 's',
    version: '1',
    authenticate({ authorization = '' }) {
      const token = issuedBy.inspect(authorization.replace(/^Bearer /, ''))
      if (token === undefined) throw new McpError('caller.unauthenticated', 'Sign in first')
      return { id: token.clientId.startsWith('client-') ? 'ann' : token.clientId, tenant: 't' }
    },
  })
  server.tool('whoami', { description: 'Who calls' }, (_, { principal }) => principal.id)
  const door = await openHttpDoor({
    endpoint: (path) => (path === '/mcp' ? server.endpoint : undefined),
    plain: ({ path }) => {
      if (path !== '/.well-known/oauth-protected-resource') return undefined
      const body = JSON.stringify({ resource: door.url, authorization_servers: [issuedBy.issuer] })
      return { status: 200, headers: { 'content-type': 'application/json' }, body }
    },
  })
  onTestFinished(() => door.close({ drainMs: 0 }))
  return `${door.url}/mcp`
}

/** A folder with the programs of the guide, and a browser in which somebody agrees to everything. */
function createFolder(): { readonly folder: string; readonly path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'crosspoint-guide-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  symlinkSync(`${root}node_modules`, join(folder, 'node_modules'), 'junction')
  for (const [name, text] of sources) writeFileSync(join(folder, name), text)
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  for (const name of ['xdg-open', 'open']) {
    writeFileSync(join(bin, name), `#!${process.execPath}\nfetch(process.argv[2])\n`)
    chmodSync(join(bin, name), 0o755)
  }
  return { folder, path: `${bin}${delimiter}${process.env.PATH}` }
}

const transcripts = blocksOf('console').flatMap((text) =>
  [...text.matchAll(/^\$ (.*)\n((?:[^$].*\n)*)/gm)].map(([, line = '', output = '']) => [line, output] as const),
)

it.skipIf(process.platform === 'win32').each(transcripts)(
  'the guide shows what is printed by: %s',
  async (line, output) => {
    const { folder, path } = createFolder()
    const words = line.replace('http://127.0.0.1:8123/mcp', await start()).split(' ')
    const env = Object.fromEntries(words.flatMap((word) => (word.includes('=') ? [word.split(/=(.*)/s)] : [])))
    const [node, program = ''] = words.slice(-2)
    expect([node, sources.has(program)]).toEqual(['node', true])
    const run = () => promisify(execFile)(process.execPath, [program], { cwd: folder, env: { ...env, PATH: path } })
    for (const { stdout, stderr } of [await run(), await run()]) expect(stdout + stderr).toBe(output)
  },
)

it('the guide has two programs', () => expect([transcripts.length, sources.size]).toEqual([2, 2]))
