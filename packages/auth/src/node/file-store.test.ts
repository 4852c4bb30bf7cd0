import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ask, createFollowingRedirect, startAuthorizationServer, startResourceServer } from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { createFileStore } from './file-store.ts'
import { createOAuth } from './index.ts'

// Runs the build, which `npm test` makes first.
const KILLED = fileURLToPath(new URL('../../fixtures/killed.mjs', import.meta.url))
const REFRESHER = fileURLToPath(new URL('../../fixtures/refresher.mjs', import.meta.url))

const cleanup: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
})

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'crosspoint-auth-'))
  cleanup.push(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'tokens')
}

const namesIn = async (folder: string, end: string) => (await readdir(folder)).filter((name) => name.endsWith(end))

describe('a folder of tokens', () => {
  it('gives back what was put in, by key, and forgets it', async () => {
    const store = createFileStore({ folder: await makeFolder() })
    expect(await store.read('a')).toBeUndefined()
    await store.write('a', { x: 1 })
    await store.write('b/../c', { y: 2 })
    expect([await store.read('a'), await store.read('b/../c')]).toEqual([{ x: 1 }, { y: 2 }])
    await store.write('a', undefined)
    expect(await store.read('a')).toBeUndefined()
  })

  it.skipIf(process.platform === 'win32')('can be read by its owner alone', async () => {
    const folder = await makeFolder()
    const store = createFileStore({ folder })
    await store.write('a', { x: 1 })
    const [name = ''] = await readdir(folder)
    expect(((await stat(folder)).mode & 0o777).toString(8)).toBe('700')
    expect(((await stat(join(folder, name))).mode & 0o777).toString(8)).toBe('600')
  })

  it('a file that is broken counts as none, and is replaced whole', async () => {
    const folder = await makeFolder()
    const store = createFileStore({ folder })
    await store.write('a', { x: 1 })
    const [name = ''] = await readdir(folder)
    await writeFile(join(folder, name), '{"key":"a","val')
    expect(await store.read('a')).toBeUndefined()
    await store.write('a', { x: 2 })
    expect(await readdir(folder)).toEqual([name])
    expect(JSON.parse(await readFile(join(folder, name), 'utf8'))).toEqual({ key: 'a', value: { x: 2 } })
  })

  it('work under one key is done one after the other, by two stores as by one', async () => {
    const folder = await makeFolder()
    const stores = [createFileStore({ folder }), createFileStore({ folder })]
    let [inside, most] = [0, 0]
    const work = async () => {
      most = Math.max(most, ++inside)
      await new Promise((resolve) => setImmediate(resolve))
      inside--
    }
    await Promise.all(stores.flatMap((store) => [store, store, store].map((each) => each.exclusively('a', work))))
    expect(most).toBe(1)
    expect(await namesIn(folder, '.lock')).toEqual([])
  })

  it('work that fails leaves no lock behind', async () => {
    const folder = await makeFolder()
    const store = createFileStore({ folder })
    await expect(store.exclusively('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await store.exclusively('a', async () => 1)).toBe(1)
  })

  it.each([
    ['of a process that is gone', { pid: 2 ** 22 + 1, host: hostname() }, 0],
    ['nobody has touched for long', { pid: 1, host: 'elsewhere' }, 11_000],
  ])('a lock %s is taken over', async (_, owner, ageMs) => {
    const folder = await makeFolder()
    const store = createFileStore({ folder, lockTimeoutMs: 2_000 })
    await store.exclusively('a', async () => {
      const [name = ''] = await namesIn(folder, '.lock')
      await writeFile(join(folder, name), JSON.stringify({ owner: 'x', ...owner }))
      const then = new Date(Date.now() - ageMs)
      await utimes(join(folder, name), then, then)
    })
    expect(await namesIn(folder, '.lock')).toHaveLength(1)
    expect(await store.exclusively('a', async () => 1)).toBe(1)
  })

  it('a lock that is held is waited for, and not for ever', async () => {
    const folder = await makeFolder()
    const [one, other] = [createFileStore({ folder }), createFileStore({ folder, lockTimeoutMs: 50 })]
    await one.exclusively('a', async () => {
      await expect(other.exclusively('a', async () => 1)).rejects.toThrow('another process holds')
    })
  })
})

describe('what killed processes left in a folder', () => {
  const LEFT = /^[0-9a-f]{64}\.(?:json|lock)\.[0-9a-f-]{36}$/
  const leftIn = async (folder: string) => (await readdir(folder)).filter((name) => LEFT.test(name))
  const kill = (kind: string, folder: string) =>
    promisify(execFile)(process.execPath, [KILLED, kind, folder]).catch((error: { signal: unknown }) => error.signal)
  const age = async (path: string, ms: number) => {
    const then = new Date(Date.now() - ms)
    await utimes(path, then, then)
  }

  /** One of each kind, made by processes that were killed in the middle, and nothing else. */
  async function makeLeftovers(): Promise<{ folder: string; left: readonly string[] }> {
    const folder = await makeFolder()
    expect(await kill('json', folder)).toBe('SIGKILL')
    expect(await namesIn(folder, '.lock')).toHaveLength(1)
    expect(await kill('lock', folder)).toBe('SIGKILL')
    const left = await leftIn(folder)
    expect(left.map((name) => name.split('.')[1]).sort()).toEqual(['json', 'lock'])
    expect(await readdir(folder)).toHaveLength(2)
    return { folder, left }
  }

  it('goes when another begins to use it, once it is older than any wait for a lock', async () => {
    const { folder, left } = await makeLeftovers()
    for (const name of left) await age(join(folder, name), 31_000)
    const store = createFileStore({ folder })
    await store.write('a', { x: 1 })
    expect(await leftIn(folder)).toEqual([])
    expect(await store.read('a')).toEqual({ x: 1 })
  })

  it('stays while it may still be wanted', async () => {
    const { folder, left } = await makeLeftovers()
    for (const name of left) await age(join(folder, name), 59_000)
    await createFileStore({ folder, lockTimeoutMs: 60_000 }).write('a', { x: 1 })
    expect(await leftIn(folder)).toEqual(left)
  })

  it('is told from locks that are held, and from files that are not ours', async () => {
    const { folder, left } = await makeLeftovers()
    const [name = ''] = left
    const foreign = ['notes.json.old', `${name}.bak`, name.replace(/^./, 'Z'), 'x.lock.0']
    for (const each of foreign) await writeFile(join(folder, each), 'mine')
    await createFileStore({ folder, staleMs: 600_000 }).exclusively('b', async () => {
      const before = await readdir(folder)
      for (const each of before) await age(join(folder, each), 500_000)
      await createFileStore({ folder }).write('c', { x: 1 })
      expect(await leftIn(folder)).toEqual([])
      expect(await readdir(folder)).toEqual(expect.arrayContaining(before.filter((each) => !LEFT.test(each))))
      expect(before.filter((each) => each.endsWith('.lock'))).toHaveLength(1)
    })
    expect(await namesIn(folder, '.lock')).toEqual([])
  })
})

it('two processes with one folder refresh once, and nothing is lost', async () => {
  const folder = await makeFolder()
  const issuedBy = await startAuthorizationServer()
  cleanup.push(() => issuedBy.stop())
  const server = await startResourceServer({ issuedBy: () => issuedBy })
  cleanup.push(() => server.stop())
  const store = createFileStore({ folder })
  const redirect = createFollowingRedirect()
  const authorization = createOAuth({ store, redirect, clientName: 'test' })
  await ask(authorization, server.url)
  issuedBy.expire()
  const run = () => promisify(execFile)(process.execPath, [REFRESHER, server.url, folder])
  const printed = await Promise.all([run(), run(), ask(authorization, server.url)])
  expect(printed.slice(0, 2).map((each) => 'stdout' in each && JSON.parse(each.stdout))).toEqual([
    Array(10).fill(200),
    Array(10).fill(200),
  ])
  expect(issuedBy.grants()).toEqual(['authorization_code', 'refresh_token'])
  // What is in the store is the refresh token nobody has used yet.
  issuedBy.expire()
  await run()
  expect(issuedBy.grants()).toEqual(['authorization_code', 'refresh_token', 'refresh_token'])
  expect(await namesIn(folder, '.lock')).toEqual([])
})
