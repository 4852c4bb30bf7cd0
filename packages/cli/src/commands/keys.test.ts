import { sendEnveloped } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { run, start } from '../../fixtures/crosspoint.ts'
import { createWorkspace, rudeServer } from '../../fixtures/workspace.ts'

/** A folder with a configuration whose store is in it. */
function open(more: object = { auth: {} }) {
  const workspace = createWorkspace()
  workspace.write('crosspoint.json', {
    servers: { rude: rudeServer(workspace) },
    store: { path: 'store.db' },
    ...more,
  })
  const keys = (...words: readonly string[]) => run(['keys', ...words], workspace.options)
  const json = async (...words: readonly string[]) => {
    const { code, stdout, stderr } = await keys(...words, '--json')
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('crosspoint:') })
    return JSON.parse(stdout)
  }
  return { workspace, keys, json }
}

const SHAPE = /^cpk_[\w-]{12}_[\w-]{43}$/

describe('keys', () => {
  it('prints a key once, and nothing else where a program reads it', async () => {
    const { keys } = open()
    const { code, stdout, stderr } = await keys('create', '--principal', 'alice')
    expect(code).toBe(0)
    expect(stdout.trimEnd()).toMatch(SHAPE)
    expect(stderr).toContain('the key of alice, shown this once')
    const secret = stdout.trimEnd().slice(-43)
    const listed = await keys('list')
    expect(listed.stdout).toMatch(/alice +default +good +never/)
    expect(listed.stdout + listed.stderr).not.toContain(secret)
    expect((await keys('list', '--json')).stdout).not.toMatch(new RegExp(`${secret}|digest`))
  })

  it('keeps what was said of a key', async () => {
    const { json } = open()
    const words = [
      '--principal',
      'ci',
      '--tenant',
      'acme',
      '--role',
      'builder',
      '--role',
      'reader',
      '--scope',
      'read:file',
    ]
    const made = await json('create', ...words, '--expires', '90d', '--label', 'the nightly build')
    expect(made).toMatchObject({
      key: expect.stringMatching(SHAPE),
      principal: 'ci',
      tenant: 'acme',
      roles: ['builder', 'reader'],
      scopes: ['read:file'],
      label: 'the nightly build',
    })
    expect(Date.parse(made.expiresAt) - Date.parse(made.createdAt)).toBe(90 * 86_400_000)
    const { key: _, ...kept } = made
    expect(await json('list')).toEqual({ keys: [kept] })
    expect(await json('list', '--tenant', 'acme')).toEqual({ keys: [kept] })
    expect(await json('list', '--tenant', 'other')).toEqual({ keys: [] })
  })

  it('replaces a key, and the old one goes on as long as it is told', async () => {
    const { json, keys } = open()
    const old = await json('create', '--principal', 'alice', '--role', 'dev')
    const next = await json('rotate', old.id)
    expect(next).toMatchObject({ key: expect.stringMatching(SHAPE), principal: 'alice', roles: ['dev'] })
    const [first] = (await json('list')).keys.filter(({ id }: { readonly id: string }) => id === old.id)
    expect(first).toMatchObject({ replacedBy: next.id })
    expect(Date.parse(first.expiresAt) - Date.now()).toBeGreaterThan(86_000_000)
    await json('rotate', next.id, '--grace', '0s')
    expect(await keys('rotate', next.id)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not good any more'),
    })
  })

  it('takes back a key by its id, or by itself where it leaked', async () => {
    const { json, keys } = open()
    const [one, two] = [await json('create', '--principal', 'a'), await json('create', '--principal', 'b')]
    expect(await json('revoke', one.id)).toMatchObject({ id: one.id, revokedAt: expect.any(String) })
    expect(await json('revoke', two.key)).toMatchObject({ id: two.id, revokedAt: expect.any(String) })
    expect(await keys('revoke', 'nobodys-key1')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/No key has the id "nobodys-key1"[\s\S]*keys list/),
    })
  })

  it('says what is wrong with what was typed', async () => {
    const { keys } = open()
    for (const [words, message] of [
      [[], "Required option '--principal <name>'"],
      [['--principal', ''], 'cannot be given as --principal'],
      [['--principal', 'anonymous'], 'whom nobody asks'],
      [['--principal', 'a\u001b[31m'], 'cannot be given as --principal'],
      [['--principal', 'a', '--role', 'b c'], 'cannot be given as --role'],
      [['--principal', 'a', '--scope', 'b c'], 'cannot be given as --scope'],
      [['--principal', 'a', '--expires', '90'], 'is not a length of time'],
    ] as const) {
      const { code, stderr, stdout } = await keys('create', ...words)
      expect({ code, stdout }, message).toEqual({ code: 1, stdout: '' })
      expect(stderr).toContain(message)
    }
  })

  it('says so where nobody is asked for keys', async () => {
    const { keys } = open({})
    expect((await keys('create', '--principal', 'alice')).stderr).toContain('Nobody is asked for keys yet')
  })

  it('says which store it cannot open', async () => {
    const { keys, workspace } = open({ auth: {}, store: { path: 'not-a-store.db' } })
    workspace.write('not-a-store.db', 'this is no database, and it is long enough to be seen as none\n'.repeat(20))
    const told = { code: expect.toBeOneOf([1, 4]), stderr: expect.stringContaining('Cannot open the store') }
    expect(await keys('list')).toMatchObject(told)
    expect(await run(['up', '--port', '0'], workspace.options)).toMatchObject(told)
  })
})

describe('up', () => {
  it('asks for keys, takes those that were made meanwhile, and no longer those that were taken back', async () => {
    const { workspace, json } = open({ auth: { keys: { cacheMs: 0 } }, log: { level: 'info' } })
    const running = start(['up', '--port', '0', '--json', '--host', '0.0.0.0'], workspace.options)
    const [, port] = await running.sees('stdout', /"url":"http:\/\/0\.0\.0\.0:(\d+)\/mcp"/)
    const url = `http://127.0.0.1:${port}/mcp`
    const ask = async (headers = {}) => (await sendEnveloped(url, 'tools/list', {}, { headers })).status
    expect(await ask()).toBe(401)
    const { id, key } = await json('create', '--principal', 'alice')
    expect(await ask({ 'x-api-key': key })).toBe(200)
    expect(await ask({ authorization: `Bearer ${key}` })).toBe(200)
    await running.sees('stderr', /"principal":"alice"/)
    await json('revoke', id)
    expect(await ask({ 'x-api-key': key })).toBe(401)
    running.child.kill('SIGTERM')
    const { code, stdout, stderr } = await running.ended
    expect(code).toBe(0)
    expect(stdout + stderr).not.toContain(key.slice(-43))
  })
})
