import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Libsql from 'libsql'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { AuditRow } from '../contract/audit-store.ts'
import { openEmbedded } from './store.ts'
import { Worker } from './worker.ts'

const APPENDER = fileURLToPath(new URL('fixtures/appender.mjs', import.meta.url))
const isRoot = process.getuid?.() === 0

function makeFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'crosspoint-store-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function toRow(chain: string, seq: number): AuditRow {
  const index = { tenant: 'acme', principal: 'alice', method: 'tools/call', outcome: 'ok' }
  return { chain, seq, at: 1, previous: `${seq - 1}`, hash: `${seq}`, record: '{}', index }
}

test('the file and its folder are for nobody but their owner, and so is what stands beside it', async () => {
  const path = join(makeFolder(), 'a', 'b', 'store.db')
  const store = await openEmbedded({ path })
  await store.audit.append([toRow('a', 1)])
  expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
  expect(statSync(join(path, '..', '..')).mode & 0o777).toBe(0o700)
  for (const end of ['', '-wal', '-shm']) expect(statSync(`${path}${end}`).mode & 0o777, end).toBe(0o600)
  await store.close()
})

test('a file that others may read is closed to them', async () => {
  const path = join(makeFolder(), 'store.db')
  writeFileSync(path, '')
  chmodSync(path, 0o644)
  await (await openEmbedded({ path })).close()
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('kill -9 of a process that appends loses nothing that was acknowledged, and leaves a whole file', async () => {
  const path = join(makeFolder(), 'store.db')
  for (const round of ['a', 'b', 'c']) {
    const child = spawn(process.execPath, [APPENDER, path, round, '1000000'], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.length > 200) child.kill('SIGKILL')
    })
    await once(child, 'close')
    const acknowledged = Number(said.trimEnd().split('\n').at(-1))
    const store = await openEmbedded({ path })
    const { seq = 0 } = (await store.audit.last(round)) ?? {}
    expect(acknowledged).toBeGreaterThan(0)
    expect(seq).toBeGreaterThanOrEqual(acknowledged)
    // Batches of two are kept whole or not at all.
    expect(seq % 2).toBe(0)
    expect((await store.audit.read(round, { from: 1, limit: 1e6 })).map((row) => row.seq)).toHaveLength(seq)
    await store.close()
  }
})

test('several processes make and use one file at once', async () => {
  const path = join(makeFolder(), 'store.db')
  const children = ['a', 'b', 'c', 'd'].map((chain) =>
    spawn(process.execPath, [APPENDER, path, chain, '200'], { stdio: ['ignore', 'ignore', 'inherit'] }),
  )
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'close'))[0]))
  expect(codes).toEqual([0, 0, 0, 0])
  const store = await openEmbedded({ path })
  expect(await store.audit.chains()).toEqual(['a', 'b', 'c', 'd'].map((chain) => ({ chain, first: 1, last: 200 })))
  await store.close()
})

test('a closed store says so, and may be closed again', async () => {
  const store = await openEmbedded({ path: join(makeFolder(), 'store.db') })
  await store.close()
  await store.close()
  for (const use of [
    store.keys.find('a'),
    store.keys.version(),
    store.audit.append([toRow('a', 1)]),
    store.migrate(),
  ]) {
    await expect(use).rejects.toMatchObject({ name: 'StoreError', code: 'closed' })
  }
})

test('what was asked for before it was closed is done', async () => {
  const path = join(makeFolder(), 'store.db')
  const store = await openEmbedded({ path })
  const asked = [1, 2, 3].map((seq) => store.audit.append([toRow('a', seq)]))
  await store.close()
  await Promise.all(asked)
  const again = await openEmbedded({ path })
  expect(await again.audit.chains()).toEqual([{ chain: 'a', first: 1, last: 3 }])
  await again.close()
})

test.each([
  ['no database', 'damaged', (path: string) => writeFileSync(path, 'hello '.repeat(2_000))],
  ['cut off', 'damaged', (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 5_000))],
  ['of a newer version', 'version', (path: string) => new Libsql(path).exec('update store_version set version = 1000')],
  [
    'of another program',
    'version',
    (path: string) => {
      rmSync(path)
      new Libsql(path).exec('create table theirs (a text)')
    },
  ],
  [
    'a folder',
    'unavailable',
    (path: string) => {
      rmSync(path)
      mkdirSync(path)
    },
  ],
])('a file that is %s is refused with a sentence', async (_, code, spoil) => {
  const path = join(makeFolder(), 'store.db')
  await (await openEmbedded({ path })).close()
  for (const end of ['-wal', '-shm']) rmSync(`${path}${end}`, { force: true })
  spoil(path)
  const opening = openEmbedded({ path })
  await expect(opening).rejects.toMatchObject({ name: 'StoreError', code })
  await expect(opening).rejects.toThrow(/^Cannot open the store/)
})

test('a file that may not be written is refused with a sentence', async () => {
  // Rights do not hold who may everything; the system's own folder does.
  const folder = isRoot ? '/sys/kernel' : makeFolder()
  if (!isRoot) chmodSync(folder, 0o500)
  const opening = openEmbedded({ path: join(folder, 'store.db') })
  await expect(opening).rejects.toMatchObject({ name: 'StoreError', code: 'unavailable' })
  await expect(opening).rejects.toThrow('permission denied')
})

test('a file that another process goes on writing is unavailable after a while, and then available again', async () => {
  const path = join(makeFolder(), 'store.db')
  const store = await openEmbedded({ path, timeoutMs: 100 })
  const other = new Libsql(path)
  other.exec('begin immediate')
  const blocked = store.audit.append([toRow('a', 1)])
  await expect(blocked).rejects.toMatchObject({ code: 'unavailable' })
  await expect(blocked).rejects.toThrow('another process')
  other.exec('rollback')
  await store.audit.append([toRow('a', 1)])
  await store.close()
})

test('a thread that could not open the file is replaced once it can be opened', async () => {
  const path = join(makeFolder(), 'store.db')
  await (await openEmbedded({ path })).close()
  const reader = new Worker({ path: `${path}.away/none`, timeoutMs: 100, writes: false })
  await expect(reader.call('chains')).rejects.toMatchObject({ name: 'StoreError', code: 'unavailable' })
  mkdirSync(`${path}.away`)
  copyFileSync(path, `${path}.away/none`)
  await vi.waitFor(async () => expect(await reader.call('chains')).toEqual([]))
  await reader.close()
})
