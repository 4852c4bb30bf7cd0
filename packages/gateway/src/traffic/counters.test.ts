import { createFakeClock } from '@crosspoint/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countersSuite } from './counters.suite.ts'
import { MemoryCounters } from './counters.ts'

const charge = (key: string, max: number, windowMs: number, amount = 1) => ({ key, amount, max, windowMs })

countersSuite(async () => {
  const clock = createFakeClock()
  return { instances: [new MemoryCounters({ clock })], clock, key: (name) => name }
})

test('no stretch of a window’s length holds more than its limit, wherever it begins', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 100, max: 5_000 }),
      fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 30, maxLength: 200 }),
      (max, windowMs, steps) => {
        const clock = createFakeClock()
        const counters = new MemoryCounters({ clock })
        const passed: number[] = []
        for (const step of steps) {
          clock.advance(step)
          if (counters.take([charge('a', max, windowMs)]).isTaken) passed.push(clock.now())
        }
        for (let at = max; at < passed.length; at++) {
          expect(Number(passed[at]) - Number(passed[at - max])).toBeGreaterThanOrEqual(windowMs)
        }
      },
    ),
  )
})

test('who waits as long as was said is let through, and nobody waits much longer than the window', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 }),
      (max, steps) => {
        const clock = createFakeClock()
        const counters = new MemoryCounters({ clock })
        for (const step of steps) {
          clock.advance(step)
          const taken = counters.take([charge('a', max, 1_000)])
          if (taken.isTaken) continue
          expect(taken.retryAfterMs).toBeLessThanOrEqual(1_000 + 1_000 / 16 + 1)
          clock.advance(taken.retryAfterMs)
          expect(counters.take([charge('a', max, 1_000)]).isTaken).toBe(true)
        }
      },
    ),
  )
})

test('abuse-14: keys are bounded, and those that count nothing any more go first', () => {
  const clock = createFakeClock()
  const counters = new MemoryCounters({ clock, maxKeys: 2_000 })
  for (let n = 0; n < 1_000; n++) counters.take([charge(`old ${n}`, 1, 1_000)])
  clock.advance(5_000)
  for (let n = 0; n < 1_500; n++) counters.take([charge(`new ${n}`, 1, 60_000)])
  expect(counters.size).toBeLessThanOrEqual(2_000)
  expect(counters.take([charge('new 0', 1, 60_000)]).isTaken).toBe(false)
  for (let n = 0; n < 50_000; n++) counters.take([charge(`more ${n}`, 1, 60_000)])
  expect(counters.size).toBeLessThanOrEqual(2_000)
})

test('what was counted before counts for as long as it would have', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_200 }), fc.integer({ min: 0, max: 300 }), (ageMs, startMs) => {
      const clock = createFakeClock()
      clock.advance(startMs)
      const counters = new MemoryCounters({ clock })
      counters.count({ key: 'a', amount: 3, windowMs: 1_000, ageMs })
      const taken = counters.take([charge('a', 3, 1_000)])
      if (ageMs < 1_000) expect(taken.isTaken).toBe(false)
      if (ageMs > 1_000 + 1_000 / 16) expect(taken.isTaken).toBe(true)
      if (!taken.isTaken) expect(taken.retryAfterMs).toBeLessThanOrEqual(1_000 + 1_000 / 16 + 1 - ageMs)
    }),
  )
})

test('stretches of the calendar that are over are forgotten', () => {
  const clock = createFakeClock()
  const counters = new MemoryCounters({ clock, maxKeys: 1_500 })
  for (let n = 0; n < 1_000; n++) counters.take([{ ...charge(`old ${n}`, 1, 1_000), leftMs: 10 }])
  clock.advance(10)
  for (let n = 0; n < 1_000; n++) counters.take([{ ...charge(`new ${n}`, 1, 1_000), leftMs: 10 }])
  expect(counters.size).toBeLessThanOrEqual(1_500)
  expect(counters.take([{ ...charge('new 0', 1, 1_000), leftMs: 10 }]).isTaken).toBe(false)
})
