import { expect, test } from 'vitest'
import { Latency } from './latency.ts'

test('the latest measures count most, and what is not measured fades', () => {
  const latency = new Latency()
  expect(latency.at(0)).toBeUndefined()
  latency.observe(100, 0)
  expect(latency.at(0)).toBe(100)
  for (let n = 0; n < 20; n++) latency.observe(10, 0)
  expect(latency.at(0)).toBeLessThan(11)
  latency.observe(1_000, 0)
  const slow = latency.at(0) ?? 0
  expect(slow).toBeGreaterThan(200)
  expect(latency.at(120_000)).toBeLessThan(slow / 50)
})
