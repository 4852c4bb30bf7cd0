import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toSelector } from './selection.ts'

test.each([
  [{}, 'anything', true],
  [{ include: [] }, 'anything', false],
  [{ include: ['read_file'] }, 'read_file', true],
  [{ include: ['read_file'] }, 'read_files', false],
  [{ include: ['read_*'] }, 'read_file', true],
  [{ include: ['read_*'] }, 'read_', true],
  [{ include: ['*_file'] }, 'read_file', true],
  [{ include: ['*_file'] }, 'file', false],
  [{ include: ['a*b*c'] }, 'a-b-b-c', true],
  [{ include: ['a*b*c'] }, 'a-c-b', false],
  [{ include: ['ab*ba'] }, 'aba', false],
  [{ include: ['**'] }, '', true],
  [{ exclude: ['secret*'] }, 'secret_key', false],
  [{ exclude: ['secret*'] }, 'open', true],
  [{ include: ['secret_key'], exclude: ['secret*'] }, 'secret_key', false],
  [{ include: ['a.c'] }, 'abc', false],
])('%j on %j: %s', (selection, name, passes) => {
  expect(toSelector(selection)(name)).toBe(passes)
})

test('agrees with a regular expression on any pattern', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
  const name = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 })
  fc.assert(
    fc.property(word, name, (pattern, text) => {
      const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text)
      expect(toSelector({ include: [pattern] })(text)).toBe(expected)
    }),
    { numRuns: 500 },
  )
})

test('many stars on a long name take no time to speak of', () => {
  const started = performance.now()
  expect(toSelector({ include: [`${'a*'.repeat(2000)}b`] })('a'.repeat(100_000))).toBe(false)
  expect(performance.now() - started).toBeLessThan(1000)
})
