import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { run, start } from '../../fixtures/crosspoint.ts'
import { createWorkspace, rudeServer } from '../../fixtures/workspace.ts'

const TOKEN = '0123456789abcdef0123456789abcdef'

/** A gateway that runs, and commands on its configuration. */
async function up(more: object = {}, env: Readonly<Record<string, string>> = {}) {
  const workspace = createWorkspace()
  workspace.write('crosspoint.json', {
    servers: { rude: rudeServer(workspace), broken: { command: 'crosspoint-no-such-program' } },
    store: { path: 'store.db' },
    auth: {},
    audit: { keyFile: 'keys/audit.key' },
    ...more,
  })
  const options = { ...workspace.options, env: { ...workspace.options.env, ...env } }
  const running = start(['up', '--port', '0', '--json'], options)
  const [line] = await running.sees('stdout', /^\{.*\}\n/)
  const announced = JSON.parse(line) as { readonly url: string; readonly admin: string }
  const crosspoint = (...words: readonly string[]) => run(words, options)
  const json = async (...words: readonly string[]) => {
    const { code, stdout, stderr } = await crosspoint(...words, '--json')
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('"error"') })
    return JSON.parse(stdout)
  }
  const passes = join(workspace.folder, 'state', 'crosspoint', 'admin')
  /** As the start prints it to a screen. */
  const address = () => {
    const [name = ''] = readdirSync(passes)
    const { url, token } = JSON.parse(readFileSync(join(passes, name), 'utf8'))
    return `${url}/#token=${token}`
  }
  return { workspace, options, running, announced, crosspoint, json, passes, address }
}

// Each command is a process, and so is the gateway.
describe('a gateway that runs', { timeout: 60_000 }, () => {
  it('says how it is, what is wrong, and what to do about it', async () => {
    const { crosspoint, json, announced } = await up()
    const { code, stdout } = await crosspoint('status')
    expect(code).toBe(0)
    expect(stdout).toContain(announced.url)
    expect(stdout).toMatch(/^rude +degraded/m)
    expect(stdout).toMatch(/^broken +down +Cannot start "broken"/m)
    expect(stdout).toContain('asked for keys; evidence is kept')
    const { gateway, callers } = await json('status')
    expect(gateway.problems).toMatchObject([{ about: 'rude' }, { about: 'broken', remedy: expect.any(String) }])
    expect(callers).toEqual([])
  })

  it('makes and takes back keys, and leaves evidence of it', async () => {
    const { crosspoint, json, announced, address } = await up()
    const made = await json('keys', 'create', '--principal', 'ci', '--role', 'builder', '--expires', '90d')
    expect(made).toMatchObject({ key: expect.stringMatching(/^cpk_/), principal: 'ci', roles: ['builder'] })
    const { key, ...kept } = made
    expect((await json('keys', 'list')).keys).toEqual([kept])
    const headers = ['-H', `Authorization: Bearer ${key}`]
    expect((await crosspoint('ls', 'tools', announced.url, ...headers)).code).toBe(0)
    expect((await json('status')).callers).toMatchObject([{ id: 'ci', credential: 'key', key: made.id }])
    await json('keys', 'revoke', key)
    const { rows } = await json('audit', 'search', '--target', made.id)
    expect(rows.map(({ record }: { readonly record: object }) => record)).toMatchObject([
      { method: 'key.revoked', tenant: 'admin', principal: 'token', about: { by: 'admin-api', forPrincipal: 'ci' } },
      { method: 'key.created' },
    ])
    expect((await crosspoint('keys', 'revoke', 'nobody')).stderr).toContain('No key has this id')
    const lines = (await crosspoint('audit', 'export', '--method', 'key.created')).stdout.trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(JSON.parse(line).record).target)).toEqual([made.id])
    const otlp = await crosspoint('audit', 'export', '--method', 'key.created', '--format', 'otlp')
    expect(otlp.stdout).toContain('key.created')
    expect((await crosspoint('audit', 'verify')).code).toBe(0)
    expect((await json('audit', 'verify', '--admin', address())).whole).toBe(true)
  })

  it('explains what it lets callers do, without starting servers for it', async () => {
    const rules = [{ name: 'not-bob', effect: 'deny', servers: ['rude'], when: 'principal.id == "bob"' }]
    const { crosspoint, json } = await up({ policy: { rules } })
    const { stdout: tools } = await crosspoint('ls', 'tools', '--json')
    const [{ name }] = JSON.parse(tools).tools
    const { stdout, stderr } = await crosspoint('policy', 'explain', name, '--as', 'bob', '--verbose')
    expect(stderr).toContain('Asking the gateway at http://127.0.0.1:')
    expect(stdout).toContain('the rule "not-bob" refuses it')
    expect(await json('policy', 'explain', name, '--as', 'alice')).toMatchObject({ decision: { effect: 'allow' } })
    expect((await crosspoint('policy', 'explain', 'rude__nothing', '--as', 'bob')).stderr).toContain(
      'No server has a tool',
    )
  })

  it('is found by its file, which its owner alone can read, until it ends', async () => {
    const { running, passes, crosspoint, announced } = await up()
    const [name = ''] = readdirSync(passes)
    expect(statSync(join(passes, name)).mode & 0o777).toBe(0o600)
    const { url, token, pid } = JSON.parse(readFileSync(join(passes, name), 'utf8'))
    expect([url, pid]).toEqual([announced.admin, running.child.pid])
    expect(running.stdout() + running.stderr()).not.toContain(token)
    running.child.kill('SIGTERM')
    await running.ended
    expect(readdirSync(passes)).toEqual([])
    const { code, stderr } = await crosspoint('status')
    expect([code, stderr]).toEqual([4, expect.stringContaining('crosspoint up')])
    expect((await crosspoint('keys', 'list', '--verbose')).stderr).toContain('using its store')
  })

  it('is asked from elsewhere by its address and a token', async () => {
    const { announced } = await up({}, { CROSSPOINT_ADMIN_TOKEN: TOKEN })
    const elsewhere = createWorkspace()
    const ask = (token: string, url = announced.admin) =>
      run(['status', '--admin', url], {
        ...elsewhere.options,
        env: { ...elsewhere.options.env, CROSSPOINT_ADMIN_TOKEN: token },
      })
    expect((await ask(TOKEN)).code).toBe(0)
    expect((await ask('', `${announced.admin}/#token=${TOKEN}`)).code).toBe(0)
    expect(await ask('x'.repeat(32))).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('CROSSPOINT_ADMIN_TOKEN'),
    })
    expect(await ask(TOKEN, 'http://127.0.0.1:9')).toMatchObject({ code: 4 })
    expect(await ask(TOKEN, 'nowhere')).toMatchObject({ code: 1 })
  })

  it('keeps a token of the configuration out of the file, and takes another port where its own is in use', async () => {
    const { passes, json } = await up({ admin: { token: TOKEN } })
    const second = await up({ admin: { token: TOKEN } })
    const [name = ''] = readdirSync(passes)
    expect(readFileSync(join(passes, name), 'utf8')).not.toContain(TOKEN)
    expect((await json('status')).gateway.config.servers).toBe(2)
    expect((await second.json('status')).gateway.config.servers).toBe(2)
  })

  it('does not open it where it is switched off, and says so of a port that was chosen and is taken', async () => {
    const off = await up({ admin: { enabled: false } })
    expect(off.announced.admin).toBeUndefined()
    const first = await up()
    const port = Number(new URL(first.announced.admin).port)
    const workspace = createWorkspace()
    workspace.write('crosspoint.json', { servers: {}, admin: { port } })
    const { code, stderr } = await run(['up', '--port', '0'], workspace.options)
    expect([code, stderr]).toEqual([1, expect.stringContaining('"admin.port"')])
  })

  it('reads its file again when told to, and says what it comes to', async () => {
    const { announced, passes, workspace, options } = await up({}, {})
    const [name = ''] = readdirSync(passes)
    const { token } = JSON.parse(readFileSync(join(passes, name), 'utf8'))
    const post = (path: string, body: object = {}) =>
      fetch(`${announced.admin}/api/v1/config${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    expect(await (await post('/reload')).json()).toMatchObject({ isEmpty: true })
    workspace.write('crosspoint.json', '{"servers": 1}')
    const bad = await post('/reload')
    expect([bad.status, await bad.json()]).toEqual([422, expect.objectContaining({ code: 'config' })])
    const text = 'servers: { a: { command: x, args: ["${file:/etc/passwd}"] } }'
    expect(await (await post('/validate', { text })).json()).toMatchObject({ valid: expect.any(Boolean) })
    const explained = await fetch(`${announced.admin}/api/v1/config`, { headers: { authorization: `Bearer ${token}` } })
    const { settings } = (await explained.json()) as { settings: { path: string }[] }
    expect(settings.map(({ path }) => path)).toContain('admin.host')
    expect(options.cwd).toBe(workspace.folder)
  })
})

describe('a store without a gateway', () => {
  it('leaves evidence of what was done with keys', async () => {
    const workspace = createWorkspace()
    workspace.write('crosspoint.json', {
      servers: {},
      store: { path: 'store.db' },
      audit: { keyFile: 'keys/audit.key' },
    })
    const json = async (...words: readonly string[]) =>
      JSON.parse((await run([...words, '--json'], workspace.options)).stdout)
    const made = await json('keys', 'create', '--principal', 'alice')
    await json('keys', 'revoke', made.id)
    const { rows } = await json('audit', 'search', '--target', made.id)
    expect(rows.map(({ record }: { readonly record: object }) => record)).toMatchObject([
      { method: 'key.revoked', principal: 'command-line' },
      { method: 'key.created', principal: 'command-line', about: { forPrincipal: 'alice' } },
    ])
    expect((await run(['audit', 'verify'], workspace.options)).code).toBe(0)
  })
})
