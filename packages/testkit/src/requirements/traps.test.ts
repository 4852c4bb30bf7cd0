import { fileURLToPath } from 'node:url'
import { REVISIONS } from '@crosspoint/mcp'
import { describe, expect, test } from 'vitest'
import { findNamedTraps, findSkippingFiles, hasSkipped, readNamedTraps } from './names.ts'
import { TRAPS } from './traps.ts'

const repository = fileURLToPath(new URL('../../../../', import.meta.url))

describe('the traps of the specification', () => {
  test('are 54, numbered from 1, of revisions we speak', () => {
    expect(TRAPS.map(({ trap }) => trap)).toEqual(Array.from({ length: 54 }, (_, index) => index + 1))
    const spoken = new Set(REVISIONS.map(({ name }) => name))
    for (const { revisions } of TRAPS) {
      expect(revisions.length).toBeGreaterThan(0)
      expect(revisions.filter((name) => !spoken.has(name))).toEqual([])
    }
  })

  test('are each proved by a test that is named after it', () => {
    const named = findNamedTraps(repository)
    const rows = new Set(TRAPS.map(({ trap }) => trap))
    expect(named.filter(({ trap }) => !rows.has(trap))).toEqual([])
    const proved = new Set(named.map(({ trap }) => trap))
    expect(TRAPS.map(({ trap }) => trap).filter((trap) => !proved.has(trap))).toEqual([])
  })

  test('are named by no file that leaves tests out', () => {
    expect(findSkippingFiles(repository)).toEqual([])
  })

  test.each([
    "it.skip('a', () => {})",
    "test.todo('a')",
    "it.concurrent.skip.each(rows)('a', () => {})",
    "it\n  .skip('a', () => {})",
    "describe.skip('a', () => { it('b', () => {}) })",
    "it.fails('a', () => {})",
    "xit('a', () => {})",
    "it('a', { skip: true }, () => {})",
    "it('a', ({ skip }) => skip())",
    "it('a', (context) => context.skip('later'))",
    'const later = test.skip',
    "it.skipIf(true)('a', () => {})",
  ])('are not proved by what does not run: %s', (source) => {
    expect(hasSkipped(source)).toBe(true)
  })

  test.each([
    "it('skips a message, and todo', () => { const skipped = skipNoise(it) })",
    "it.skipIf(process.platform === 'win32')('a', () => {})",
    "it.each(rows)('a', ({ status }) => expect(status).toBe('skip'))",
  ])('may be proved by what runs: %s', (source) => {
    expect(hasSkipped(source)).toBe(false)
  })

  test('are about what is built, but for those whose tests only prove that it is not', () => {
    expect(TRAPS.filter(({ notBuilt }) => notBuilt !== undefined).map(({ trap }) => trap)).toEqual([54])
  })

  test('are read from the beginning of names only', () => {
    // Pieced together, so that this file names none itself.
    const label = (...names: readonly string[]) => `${names.join(', ')}: does what it should`
    const sources = [
      `test('${label('trap-7')}', () => {})`,
      `it.each(rows)("${label('abuse-12', 'trap-8')} in %s", () => {})`,
      `describe(\`${label('trap-9', 'trap-10', 'abuse-1')}\`, () => {})`,
      `// ${label('trap-11')}`,
      `test('mentions ${label('trap-12')}', () => {})`,
    ]
    expect(sources.map(readNamedTraps)).toEqual([[7], [8], [9, 10], [], []])
  })
})
