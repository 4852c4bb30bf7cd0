import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toCanonical } from './cache-key.ts'

/** The same value with the keys of its objects the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  )
}

test('abuse-43: two values are written alike if and only if they are the same, whatever the order of their keys', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const [one, other] = [a, b].map((value) => JSON.parse(JSON.stringify(value)))
      expect(toCanonical(reversed(one))).toBe(toCanonical(one))
      expect(JSON.parse(toCanonical(one))).toEqual(one)
      if (toCanonical(one) === toCanonical(other)) expect(one).toEqual(other)
    }),
  )
})
