import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JsonObject } from './frame.ts'
import { without } from './members.ts'

test('what has none of the members is given back as it is', () => {
  const value = { a: 1 }
  expect(without(value, ['b', 'toString'])).toBe(value)
})

test('a copy has all other members, in order, and none of these', () => {
  const keys = fc.constantFrom('a', 'b', '__proto__', 'constructor', '1', '')
  fc.assert(
    fc.property(fc.uniqueArray(keys), fc.uniqueArray(keys), (present, members) => {
      const value = JSON.parse(`{${present.map((key) => `${JSON.stringify(key)}:{"x":1}`).join()}}`) as JsonObject
      const expected = Object.entries(value).filter(([key]) => !(members as string[]).includes(key))
      const rest = without(value, members)
      expect(Object.entries(rest)).toEqual(expected)
      expect(Object.getPrototypeOf(rest)).toBe(Object.prototype)
      expect(Object.keys(value)).toHaveLength(present.length)
    }),
  )
})

test('abuse-11: a member "__proto__" is copied as a member', () => {
  const rest = without(JSON.parse('{"a":1,"__proto__":{"polluted":true}}') as JsonObject, ['a'])
  expect(JSON.stringify(rest)).toBe('{"__proto__":{"polluted":true}}')
  expect(rest.polluted).toBeUndefined()
})
