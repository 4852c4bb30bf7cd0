import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const PROGRAM = fileURLToPath(new URL('../../dist/json-schema-suite/run.js', import.meta.url))

let checkout = ''
beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'json-schema-suite-'))
})
afterEach(() => rmSync(checkout, { recursive: true }))

function write(path: string, content: unknown): void {
  const file = join(checkout, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, JSON.stringify(content))
}

function group(schema: unknown, data: unknown, valid: boolean) {
  return [{ description: 'a group', schema, tests: [{ description: 'a test', data, valid }] }]
}

function run(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { encoding: 'utf8' })
  return { status, out: stdout.trim().split('\n'), faults: stderr.trim() }
}

test('a suite that asks for what we do passes, with what its schemas refer to', () => {
  write('remotes/whole.json', { type: 'integer' })
  write('remotes/draft4/old.json', { $schema: 'http://json-schema.org/draft-04/schema#' })
  for (const draft of ['draft2020-12', 'draft7']) {
    write(`tests/${draft}/ref.json`, group({ $ref: 'http://localhost:1234/whole.json' }, 1.5, false))
    write(`tests/${draft}/optional/format/date.json`, group({ format: 'date' }, '2026-02-30', false))
    write(`tests/${draft}/optional/format/ipv4.json`, group({ format: 'ipv4' }, 'x', false))
  }
  expect(run(checkout)).toEqual({
    status: 0,
    out: [
      'draft2020-12: 1/1 required tests passed',
      'draft2020-12: 1 optional tests passed, 0 failed',
      'draft7: 1/1 required tests passed',
      'draft7: 1 optional tests passed, 0 failed',
    ],
    faults: '',
  })
})

test('one wrong expectation fails it, and is named', () => {
  write('tests/draft2020-12/type.json', group({ type: 'string' }, 'x', false))
  write('tests/draft7/type.json', group({ type: 'string' }, 'x', true))
  const { status, out, faults } = run(checkout)
  expect(status).toBe(1)
  expect(out).toContain('draft2020-12: 0/1 required tests passed')
  expect(faults).toBe('failed: draft2020-12 type.json: a group: a test')
})

test('a schema we refuse fails whatever its tests expect', () => {
  write('tests/draft2020-12/ref.json', group({ $ref: 'https://example.com/nowhere' }, 1, false))
  write('tests/draft7/type.json', group(true, 'x', true))
  expect(run(checkout)).toMatchObject({ status: 1, faults: 'failed: draft2020-12 ref.json: a group: a test' })
})

test('a failure we know of that no longer fails, fails it', () => {
  const description = 'validation of binary string-encoding'
  const tests = [{ description: 'an invalid base64 string (% is not a valid character)', data: '%', valid: true }]
  write('tests/draft2020-12/type.json', group(true, 'x', true))
  write('tests/draft7/type.json', group(true, 'x', true))
  write('tests/draft7/optional/content.json', [{ description, schema: { contentEncoding: 'base64' }, tests }])
  const { status, faults } = run(checkout)
  expect(status).toBe(1)
  expect(faults).toContain(`known to fail, and did not: draft7 optional/content.json: ${description}`)
})

test('a folder without a suite fails it, and so does none', () => {
  expect(run(checkout)).toMatchObject({ status: 1, faults: expect.stringContaining('Cannot find tests of draft7 in') })
  expect(run()).toMatchObject({ status: 1, faults: expect.stringContaining('Usage') })
})

test('a folder that is not there is said not to have been run, where that was asked for', () => {
  const absent = join(checkout, 'absent')
  expect(run(absent, '--if-there')).toMatchObject({ status: 0, out: [expect.stringMatching(/^NOT RUN: .*absent/)] })
  expect(run(absent)).toMatchObject({ status: 1 })
})
