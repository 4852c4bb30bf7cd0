import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findForgery, parseAnchor, signCheckpoint, toAnchorLine } from '../audit/checkpoint.ts'
import { AuditKeyError, defaultKeyFile, openAuditKey, toVerifiers } from './audit-key.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crosspoint-key-'))
})
afterAll(() => rm(folder, { recursive: true }))

const tail = { chain: 'a'.repeat(32), seq: 7, hash: 'b'.repeat(64) }

test('a key is made once, for its owner only, and is the same from then on', async () => {
  const path = join(folder, 'new', 'audit.key')
  const made = openAuditKey(path)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(openAuditKey(path)).toMatchObject({ id: made.id, publicKey: made.publicKey })
  expect(await readFile(path, 'utf8')).toContain('PRIVATE KEY')
  expect(made.publicKey).not.toContain('PRIVATE')
})

test('a key that others may read is refused, with the name of the file and nothing of the key', async () => {
  const path = join(folder, 'open.key')
  openAuditKey(path)
  await chmod(path, 0o640)
  expect(() => openAuditKey(path)).toThrow(AuditKeyError)
  expect(() => openAuditKey(path)).toThrow(/chmod 600/)
})

test('a file that holds no key is refused and left as it is', async () => {
  const path = join(folder, 'no.key')
  await writeFile(path, 'hunter2', { mode: 0o600 })
  expect(() => openAuditKey(path)).toThrow(/^(?!.*hunter2)/)
  expect(await readFile(path, 'utf8')).toBe('hunter2')
  expect(() => toVerifiers(['hunter2'])).toThrow(AuditKeyError)
})

test('is not beside the store by default', () => {
  expect(defaultKeyFile({ HOME: '/home/ada' })).toBe('/home/ada/.config/crosspoint/audit.key')
  expect(defaultKeyFile({ HOME: '/home/ada', XDG_CONFIG_HOME: '/etc/ada' })).toBe('/etc/ada/crosspoint/audit.key')
})

test('a checkpoint is genuine with its own key, in one spelling only', () => {
  const key = openAuditKey(join(folder, 'one.key'))
  const verifiers = toVerifiers([key.publicKey])
  const checkpoint = signCheckpoint(key, tail, 1_000)
  expect(findForgery(checkpoint, verifiers)).toBeUndefined()
  expect(findForgery({ ...checkpoint, seq: 8 }, verifiers)).toContain('signature')
  expect(findForgery({ ...checkpoint, signature: `${checkpoint.signature}=` }, verifiers)).toContain('signature')
  const other = openAuditKey(join(folder, 'two.key'))
  expect(findForgery(checkpoint, toVerifiers([other.publicKey]))).toContain('not given')
  expect(findForgery(checkpoint, toVerifiers([`${other.publicKey}${key.publicKey}`]))).toBeUndefined()
})

test('an anchor is read back from a file or a log, and tells which of its lines are damaged', () => {
  const checkpoint = signCheckpoint(openAuditKey(join(folder, 'one.key')), tail, 1_000)
  const line = toAnchorLine(checkpoint)
  const read = parseAnchor(`${line}\nsomething else\n2026-11-21 gateway: ${line}\n${line.slice(0, 80)}\n`)
  expect(read).toEqual({ checkpoints: [checkpoint, checkpoint], damaged: [4] })
})
