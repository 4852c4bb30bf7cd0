import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import type { Walk } from './coverage.ts'

// On the build, which `npm test` makes first: what runs there is what users run.
const PROGRAM = fileURLToPath(new URL('../../dist/walk/run.js', import.meta.url))

let walk: Walk

beforeAll(async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM])
  walk = JSON.parse(stdout) as Walk // what our own program printed
})

test('the walk leads from the newest revision to one with a handshake', () => {
  expect(walk.downstream).not.toBe(walk.upstream)
  expect(walk.upstream).toBe('2025-06-18')
})

test('takes at most 16 of our files', () => {
  expect(filesOf(walk), toTable(walk)).toBeLessThanOrEqual(16)
})

test('takes at most 70 of our functions', () => {
  expect(walk.visits.length, toTable(walk)).toBeLessThanOrEqual(70)
})

test('resolves the revision of the caller once, and that of the upstream not at all: it is known since it was opened', () => {
  const times = (name: string) =>
    walk.visits.filter((visit) => visit.name.startsWith(`${name}@`)).reduce((sum, { count }) => sum + count, 0)
  // Where a revision is picked by the version in the envelope.
  expect(times('openEnveloped')).toBe(1)
  expect(times('findRevision')).toBe(0)
})

function filesOf({ visits }: Walk): number {
  return new Set(visits.map(({ file }) => file)).size
}

function toTable({ visits }: Walk): string {
  return visits.map(({ file, name, count }) => `${file} ${name} ${count}x`).join('\n')
}
