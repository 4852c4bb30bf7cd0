import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NAME_PATTERN, RESERVED_SERVER_NAMES, toServerName } from './names.ts'

test.each([
  ['a', true],
  ['git-hub_2', true],
  ['a'.repeat(32), true],
  ['a'.repeat(33), false],
  ['a__b', false],
  ['_a', false],
  ['a-', false],
  ['', false],
  ['a b', false],
  ['é', false],
  ['__proto__', false],
])('%j is a name: %s', (name, allowed) => {
  expect(NAME_PATTERN.test(name)).toBe(allowed)
})

test.each([
  ['My Server', 'My-Server'],
  ['github.com/a/b', 'github-com-a-b'],
  ['Größe', 'Gro-e'],
  ['a__b', 'a_b'],
  ['日本', 'server'],
  ['crosspoint', 'crosspoint-2'],
])('%j becomes %j', (wild, name) => {
  expect(toServerName(wild, () => false)).toBe(name)
})

test('whatever a server is called elsewhere, it gets an allowed name that nobody has', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 60 }), { maxLength: 20 }), (wild) => {
      const taken = new Set<string>()
      for (const name of wild) taken.add(toServerName(name, (candidate) => taken.has(candidate)))
      expect(taken.size).toBe(wild.length)
      for (const name of taken) {
        expect(name).toMatch(NAME_PATTERN)
        expect(RESERVED_SERVER_NAMES.has(name)).toBe(false)
      }
    }),
  )
})
