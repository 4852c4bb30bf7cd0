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
