import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createBrowser } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { run, start } from '../../fixtures/crosspoint.ts'
import { createWorkspace } from '../../fixtures/workspace.ts'

/** A gateway that signs people in, and `ann`. */
async function open() {
  const workspace = createWorkspace()
  workspace.write('crosspoint.json', {
    servers: {},
    auth: { server: { keyFile: 'auth-server.key' } },
    store: { path: 'store.db' },
  })
  const env = { XDG_STATE_HOME: join(workspace.options.cwd, 'state'), DISPLAY: '', WAYLAND_DISPLAY: '' }
  const options = { ...workspace.options, env: { ...workspace.options.env, ...env } }
  const cli = (words: readonly string[], stdin = '') => run(words, { ...options, stdin })
  expect((await cli(['accounts', 'add', 'ann'], 'a long password\n')).code).toBe(0)
  const gateway = start(['up', '--port', '0'], options)
  const [, url = ''] = await gateway.sees('stderr', /(http:\/\/127\.0\.0\.1:\d+\/mcp)/)
  return { cli, url, options, folder: join(env.XDG_STATE_HOME, 'crosspoint', 'sign-ins') }
}

type Opened = Awaited<ReturnType<typeof open>>

/** Somebody who follows what the terminal says. */
async function signIn({ url, options }: Opened, more: readonly string[] = []) {
  const waiting = start(['login', url, ...more], options)
  const [, page = '', code = ''] = await waiting.sees('stderr', /Open (\S+) and type the code (\S+)/)
  const browser = createBrowser()
  const confirm = await browser.submit(await browser.open(page), { user_code: code })
  const asked = await browser.submit(confirm, { confirm: 'yes' })
  const consent = await browser.submit(asked, { name: 'ann', password: 'a long password' })
  expect((await browser.submit(consent, { answer: 'allow' })).text).toContain('Connected')
  return waiting.ended
}

describe('login', () => {
  it('signs in with a code, and other commands use it until it is forgotten', { timeout: 90_000 }, async () => {
    const opened = await open()
    const { cli, url, folder } = opened
    const before = await cli(['ls', 'tools', url])
    expect(before).toMatchObject({ code: 3, stderr: expect.stringContaining(`crosspoint login ${url}`) })
    const { code, stdout } = await signIn(opened, ['--device', '--json'])
    expect([code, JSON.parse(stdout)]).toEqual([0, { url, signedIn: true }])
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
    const kept = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')))
    const token = /"accessToken":"([^"]+)"/.exec(kept.join('\n'))?.[1] ?? expect.fail('nothing is kept')
    expect(stdout).not.toContain(token)
    expect(await cli(['ls', 'tools', url, '--json'])).toMatchObject({ code: 0 })
    expect(JSON.parse((await cli(['tokens', 'list', '--json'])).stdout)).toMatchObject({ tokens: [{ account: 'ann' }] })
    expect(await cli(['logout', url, '--json'])).toMatchObject({
      code: 0,
      stdout: `{"url":"${url}","wasSignedIn":true}\n`,
    })
    expect((await cli(['ls', 'tools', url])).code).toBe(3)
    expect(JSON.parse((await cli(['logout', url, '--json'])).stdout)).toEqual({ url, wasSignedIn: false })
  })

  it('shows a code by itself where there is no screen; what is taken back is told', { timeout: 90_000 }, async () => {
    const opened = await open()
    const { cli, url } = opened
    expect((await signIn(opened)).code).toBe(0)
    expect((await cli(['tokens', 'revoke', '--account', 'ann'])).code).toBe(0)
    await expect
      .poll(() => cli(['ls', 'tools', url]), { timeout: 20_000 })
      .toMatchObject({ code: 3, stderr: expect.stringContaining(`crosspoint login ${url}`) })
  })

  it('signs in with the browser where there is a screen', { timeout: 90_000 }, async () => {
    const opened = await open()
    const { cli, url, options } = opened
    // A screen, and no program that opens a page: what is printed is opened by hand.
    const waiting = start(['login', url], { ...options, env: { ...options.env, DISPLAY: ':0', PATH: '/nowhere' } })
    const [, page = ''] = await waiting.sees('stderr', /Sign in to \S+ at (\S+)/)
    const browser = createBrowser()
    const consent = await browser.submit(await browser.open(page), { name: 'ann', password: 'a long password' })
    expect((await browser.submit(consent, { answer: 'allow' })).text).toContain('You are signed in')
    expect((await waiting.ended).code).toBe(0)
    expect((await cli(['ls', 'tools', url])).code).toBe(0)
  })

  it('is given up with Ctrl-C, and nobody is signed in', { timeout: 90_000 }, async () => {
    const opened = await open()
    const waiting = start(['login', opened.url, '--device'], opened.options)
    await waiting.sees('stderr', /type the code/)
    waiting.child.kill('SIGINT')
    expect((await waiting.ended).code).toBe(130)
    expect((await opened.cli(['ls', 'tools', opened.url])).code).toBe(3)
  })

  it('is for URLs', async () => {
    const { options } = createWorkspace()
    for (const words of [
      ['login', 'memory'],
      ['logout', 'memory'],
      ['login', 'unix:/tmp/x'],
    ]) {
      const { code, stderr } = await run(words, options)
      expect([code, stderr]).toEqual([1, expect.stringContaining('is not the URL of a server')])
    }
  })
})
