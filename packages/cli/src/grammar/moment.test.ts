import { expect, test } from 'vitest'
import { toMoment } from './moment.ts'

test('reads a date, a time, and how long ago', () => {
  expect(toMoment('2026-11-21')).toBe(Date.UTC(2026, 10, 21))
  expect(toMoment('2026-11-21T12:00:00Z')).toBe(Date.UTC(2026, 10, 21, 12))
  expect(toMoment('90s', 100_000)).toBe(10_000)
  expect(toMoment('7d', 0)).toBe(-604_800_000)
})

test.each(['yesterday', '24', '5 h', '2026', ''])('takes no "%s"', (text) => {
  expect(() => toMoment(text)).toThrow(/is not a time/)
})
