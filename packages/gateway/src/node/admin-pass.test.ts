import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { adminPassPath, findAdminPass, leaveAdminPass } from './admin-pass.ts'

function place(config = 'crosspoint.yaml'): string {
  const folder = mkdtempSync(join(tmpdir(), 'crosspoint-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return adminPassPath(config, { XDG_STATE_HOME: folder })
}

const PASS = { url: 'http://127.0.0.1:1', token: 'secret', pid: process.pid }

test('a pass is found by the file of the configuration, whichever way that is named', () => {
  const env = { XDG_STATE_HOME: '/state' }
  expect(adminPassPath('./a/../b.yaml', env)).toBe(adminPassPath('b.yaml', env))
  expect(adminPassPath('a.yaml', env)).not.toBe(adminPassPath('b.yaml', env))
})

test('its owner alone may read it, and nothing else is left behind', () => {
  const path = place()
  const take = leaveAdminPass(path, PASS)
  expect([statSync(path).mode & 0o777, statSync(dirname(path)).mode & 0o777]).toEqual([0o600, 0o700])
  expect(findAdminPass(path)).toEqual(PASS)
  take()
  expect(readdirSync(dirname(path))).toEqual([])
})

test('the pass of a later start is not taken away', () => {
  const path = place()
  const take = leaveAdminPass(path, PASS)
  leaveAdminPass(path, { ...PASS, url: 'http://127.0.0.1:2' })
  take()
  expect(findAdminPass(path)?.url).toBe('http://127.0.0.1:2')
})

test('a pass that others can read, that is none, or of a process that is gone is no pass', () => {
  const path = place()
  leaveAdminPass(path, PASS)
  chmodSync(path, 0o644)
  expect(findAdminPass(path)).toBeUndefined()
  chmodSync(path, 0o600)
  for (const text of ['', '[]', '{"url":"x","pid":1}', JSON.stringify({ ...PASS, pid: 2 ** 30 })]) {
    writeFileSync(path, text)
    expect(findAdminPass(path)).toBeUndefined()
  }
})
