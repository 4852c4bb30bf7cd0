import { McpError } from '@crosspoint/mcp'
import { createServer } from '@crosspoint/mcp/server'
import { openHttpDoor } from '@crosspoint/mcp/transports'
import { startAuthorizationServer } from '@crosspoint/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { run, type StartOptions, start } from '../../fixtures/crosspoint.ts'
import { createWorkspace } from '../../fixtures/workspace.ts'

/** A server that wants a token, and says who comes with it and with which headers. */
async function openServer() {
  const issuedBy = await startAuthorizationServer()
  onTestFinished(() => issuedBy.stop())
  let key = ''
  const server = createServer({
    name: 'tracker',
    version: '1.0.0',
    authenticate({ authorization = '', 'x-key': given = '' }) {
      key = given
      const good = issuedBy.inspect(authorization.replace(/^Bearer /, ''))
      if (good === undefined && given === '') throw new McpError('caller.unauthenticated', 'Sign in first')
      return { id: 'somebody', tenant: 't' }
    },
  })
  server.tool('key', {}, () => `the key is ${key}`)
  const door = await openHttpDoor({
    endpoint: (path) => (path === '/mcp' ? server.endpoint : undefined),
    resourceMetadata: (path) => ({ resource: `${door.url}${path}`, authorization_servers: [issuedBy.issuer] }),
  })
  onTestFinished(() => door.close({ drainMs: 0 }))
  return `${door.url}/mcp`
}

/** By a browser that agrees to everything. */
async function signIn(options: StartOptions, ...words: readonly string[]): Promise<void> {
  const connecting = start(['connect', 'tracker', '--no-open', ...words], options)
  const [, url = ''] = await connecting.sees('stderr', /Sign in to tracker at (\S+)/)
  expect((await fetch(url)).status).toBe(200)
  expect((await connecting.ended).code).toBe(0)
}

/** Each command is a process of its own. */
const SLOW_MS = 60_000

describe('secrets', () => {
  it(
    'keeps a secret for a server, and prints it nowhere',
    async () => {
      const { write, options } = createWorkspace()
      write('crosspoint.json', {
        secrets: { crm: { vault: 'crm' } },
        servers: { crm: { url: await openServer(), headers: { 'x-key': '${secret:crm}' } } },
      })
      const set = await run(['secrets', 'set', 'crm'], { ...options, stdin: 'open-sesame\n' })
      expect([set.code, set.stdout]).toEqual([0, ''])
      const listed = await run(['secrets', 'list', '--json'], options)
      expect(JSON.parse(listed.stdout)).toEqual({
        secrets: [{ name: 'crm', keyId: expect.any(String), updatedAt: expect.any(String) }],
      })
      expect(set.stderr + listed.stdout).not.toContain('open-sesame')
      for (const target of [['crm__key'], ['crm', 'key']]) {
        expect((await run(['call', ...target], options)).stdout).toContain('the key is open-sesame')
      }
      expect((await run(['secrets', 'remove', 'crm'], options)).code).toBe(0)
      const missing = await run(['call', 'crm', 'key'], options)
      expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('crosspoint secrets set crm')])
      expect((await run(['secrets', 'remove', 'crm'], options)).code).toBe(1)
    },
    SLOW_MS,
  )

  it(
    'goes over to another key, and back to none of before',
    async () => {
      const { write, options } = createWorkspace()
      const [old, fresh] = ['A', 'B'].map((letter) => letter.repeat(43))
      const withVault = (vault: object) => write('crosspoint.json', { vault })
      withVault({ key: old })
      await run(['secrets', 'set', 'crm'], { ...options, stdin: 'open-sesame' })
      withVault({ key: fresh, previousKeys: [old] })
      const rotated = await run(['secrets', 'rotate-key', '--json'], options)
      expect(JSON.parse(rotated.stdout)).toEqual({ changed: 1, all: 1 })
      withVault({ key: fresh })
      expect(JSON.parse((await run(['secrets', 'rotate-key', '--json'], options)).stdout)).toEqual({
        changed: 0,
        all: 1,
      })
      withVault({ key: old })
      const closed = await run(['secrets', 'rotate-key'], options)
      expect([closed.code, closed.stderr]).toEqual([1, expect.stringContaining('closed with another key')])
    },
    SLOW_MS,
  )

  it('takes no value as an argument, and no name that is none', async () => {
    const { write, options } = createWorkspace()
    write('crosspoint.json', {})
    expect((await run(['secrets', 'set', 'a', 'value'], options)).code).toBe(1)
    expect((await run(['secrets', 'set', '../a'], { ...options, stdin: 'x' })).code).toBe(1)
    expect((await run(['secrets', 'set', 'a'], { ...options, stdin: '' })).code).toBe(1)
  })
})

describe('connect', () => {
  it(
    'signs the gateway in, and its calls then work',
    async () => {
      const { write, options } = createWorkspace()
      write('crosspoint.json', { servers: { tracker: { url: await openServer(), auth: { kind: 'oauth' } } } })
      const before = await run(['call', 'tracker', 'key'], options)
      expect([before.code, before.stderr]).toEqual([3, expect.stringContaining('crosspoint connect tracker')])
      await signIn(options)
      expect((await run(['call', 'tracker', 'key'], options)).stdout).toContain('the key is')
      expect((await run(['call', 'tracker__key'], options)).stdout).toContain('the key is')
    },
    SLOW_MS,
  )

  it(
    'says who has signed in, and takes that away',
    async () => {
      const { write, options } = createWorkspace()
      write('crosspoint.json', { servers: { tracker: { url: await openServer(), auth: { kind: 'oauth' } } } })
      await signIn(options, '--as', 'ann')
      expect((await run(['connections', 'list'], options)).stdout).toMatch(/tracker +ann +default/)
      expect((await run(['connections', 'remove', 'tracker'], options)).code).toBe(1)
      expect((await run(['connections', 'remove', 'tracker', '--as', 'ann'], options)).code).toBe(0)
      expect(JSON.parse((await run(['connections', 'list', '--json'], options)).stdout)).toEqual({ connections: [] })
    },
    SLOW_MS,
  )

  it('says of a server to which nobody signs in that it is none', async () => {
    const { write, options } = createWorkspace()
    write('crosspoint.json', { servers: { plain: { command: 'x' } } })
    const { code, stderr } = await run(['connect', 'plain'], options)
    expect([code, stderr]).toEqual([1, expect.stringContaining('not of the kind "oauth"')])
    expect((await run(['connect', 'plian'], options)).stderr).toContain('plain')
  })
})
