import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { defaultSecretFile, openSecretFile } from './secret-file.ts'

function toPath(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'crosspoint-secret-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'config', 'auth-server.key')
}

test('a key is made once, for nobody but its owner', () => {
  const path = toPath()
  const made = openSecretFile(path)
  expect(made).toHaveLength(32)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(Buffer.from(openSecretFile(path))).toEqual(Buffer.from(made))
  expect(Buffer.from(openSecretFile(toPath()))).not.toEqual(Buffer.from(made))
})

test('a file that others may read, or that holds no key, is refused, and nothing of it is said', () => {
  const path = toPath()
  openSecretFile(path)
  const text = readFileSync(path, 'utf8').trim()
  chmodSync(path, 0o644)
  expect(() => openSecretFile(path)).toThrow(/Others may read the key file/)
  chmodSync(path, 0o600)
  for (const wrong of ['', 'short', text.slice(4)]) {
    writeFileSync(path, wrong)
    expect(() => openSecretFile(path)).toThrow(
      expect.objectContaining({ name: 'SecretFileError', message: expect.not.stringContaining(text.slice(4)) }),
    )
  }
  expect(() => openSecretFile(join(path, 'below'))).toThrow(/cannot be/)
})

test('it is beside a person’s own configuration', () => {
  expect(defaultSecretFile({ XDG_CONFIG_HOME: '/x' })).toBe('/x/crosspoint/auth-server.key')
})
