import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FIELD_BOUNDS, Histogram } from './histogram.ts'

const durations = fc.array(fc.double({ min: 0.00006, max: 350, noNaN: true }), { minLength: 1, maxLength: 200 })

test('a quantile is within a quarter of the real one', () => {
  fc.assert(
    fc.property(durations, fc.constantFrom(0.5, 0.95, 0.99), (given, share) => {
      const histogram = new Histogram()
      for (const seconds of given) histogram.record(seconds)
      const sorted = [...given].sort((a, b) => a - b)
      const real = sorted[Math.ceil(share * sorted.length) - 1] ?? 0
      const told = histogram.quantile(share) ?? 0
      expect(told).toBeGreaterThan(real * 0.75)
      expect(told).toBeLessThan(real * 1.3)
    }),
  )
})

test('by the bounds of the field each duration is where the field counts it', () => {
  fc.assert(
    fc.property(durations, (given) => {
      const histogram = new Histogram()
      for (const seconds of [...given, ...FIELD_BOUNDS]) histogram.record(seconds)
      const expected = new Array<number>(FIELD_BOUNDS.length + 1).fill(0)
      for (const seconds of [...given, ...FIELD_BOUNDS]) {
        const at = FIELD_BOUNDS.findIndex((bound) => seconds <= bound)
        const into = at === -1 ? FIELD_BOUNDS.length : at
        expected[into] = (expected[into] ?? 0) + 1
      }
      expect(histogram.toFieldCounts()).toEqual(expected)
    }),
  )
})

test('nothing is shorter than nothing, and of nothing there is no quantile', () => {
  const histogram = new Histogram()
  expect(histogram.quantile(0.5)).toBeUndefined()
  histogram.record(-1)
  histogram.record(Number.NaN)
  expect(histogram).toMatchObject({ count: 2, sum: 0, max: 0 })
  expect(histogram.quantile(0.99)).toBe(0)
})

test('two together are what both have', () => {
  const [one, other] = [new Histogram(), new Histogram()]
  one.record(0.1)
  other.record(3)
  one.add(other)
  expect(one).toMatchObject({ count: 2, sum: 3.1, max: 3 })
})
