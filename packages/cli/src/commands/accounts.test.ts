import { createBrowser } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { run, start } from '../../fixtures/crosspoint.ts'
import { createWorkspace } from '../../fixtures/workspace.ts'

/** A folder with a configuration whose store and key are in it. */
function open() {
  const workspace = createWorkspace()
  workspace.write('crosspoint.json', {
    servers: {},
    auth: { server: { keyFile: 'auth-server.key' } },
    store: { path: 'store.db' },
  })
  return (words: readonly string[], stdin = '') => run(words, { ...workspace.options, stdin })
}

describe('accounts', () => {
  it('makes one with the first line of what it is given, and shows nothing of it', async () => {
    const cli = open()
    const { code, stderr } = await cli(['accounts', 'add', 'ann', '--role', 'dev'], 'a long password\nmore\n')
    expect([code, stderr]).toEqual([0, expect.stringContaining('ann can sign in')])
    const { stdout } = await cli(['accounts', 'list', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ accounts: [{ name: 'ann', tenant: 'default', roles: ['dev'] }] })
    expect(stdout).not.toMatch(/password|digest|scrypt/)
    expect((await cli(['accounts', 'list'])).stdout).toMatch(/ann +default +dev/)
  })

  it('takes no short password, no name twice, and no password as an argument', { timeout: 60_000 }, async () => {
    const cli = open()
    expect(await cli(['accounts', 'add', 'ann'], 'short\n')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('at least 10 letters'),
    })
    await cli(['accounts', 'add', 'ann'], 'a long password\n')
    expect(await cli(['accounts', 'add', 'ann'], 'a long password\n')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('its name is taken'),
    })
    expect((await cli(['accounts', 'add', 'bob', 'a long password'])).code).toBe(1)
  })

  it('changes a password and removes an account that is there', { timeout: 60_000 }, async () => {
    const cli = open()
    await cli(['accounts', 'add', 'ann'], 'a long password\n')
    expect((await cli(['accounts', 'passwd', 'ann'], 'another password\n')).code).toBe(0)
    expect((await cli(['accounts', 'remove', 'ann'])).code).toBe(0)
    for (const words of [
      ['passwd', 'ann'],
      ['remove', 'ann'],
    ]) {
      const { code, stderr } = await cli(['accounts', ...words], 'another password\n')
      expect([code, stderr]).toEqual([1, expect.stringContaining('There is no account "ann"')])
    }
  })
})

describe('tokens', () => {
  it('are listed, taken back and signed anew while the gateway runs', { timeout: 60_000 }, async () => {
    const workspace = createWorkspace()
    workspace.write('crosspoint.json', {
      servers: {},
      auth: { server: { keyFile: 'auth-server.key' } },
      store: { path: 'store.db' },
    })
    const cli = (words: readonly string[], stdin = '') => run(words, { ...workspace.options, stdin })
    await cli(['accounts', 'add', 'ann'], 'a long password\n')
    const gateway = start(['up', '--port', '0'], workspace.options)
    const [, issuer = ''] = await gateway.sees('stderr', /(http:\/\/127\.0\.0\.1:\d+)\/mcp/)
    const registered = await fetch(`${issuer}/register`, {
      method: 'POST',
      body: JSON.stringify({ redirect_uris: ['http://127.0.0.1:7777/cb'], token_endpoint_auth_method: 'none' }),
    })
    const { client_id: client } = (await registered.json()) as { readonly client_id: string }
    const browser = createBrowser()
    const params = { client_id: client, redirect_uri: 'http://127.0.0.1:7777/cb', response_type: 'code' }
    const challenge = { code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' }
    const login = await browser.open(`${issuer}/authorize?${new URLSearchParams({ ...params, ...challenge })}`)
    const consent = await browser.submit(login, { name: 'ann', password: 'a long password' })
    const back = await browser.submit(consent, { answer: 'allow' }, { until: 'http://127.0.0.1:7777' })
    expect(back.url).toContain('code=')
    const { tokens } = JSON.parse((await cli(['tokens', 'list', '--json'])).stdout)
    expect(tokens).toMatchObject([{ account: 'ann', client }])
    expect((await cli(['tokens', 'revoke', tokens[0].id])).code).toBe(0)
    expect((await cli(['tokens', 'rotate-keys'])).code).toBe(0)
  })
})
