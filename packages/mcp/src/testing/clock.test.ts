import { expect, test } from 'vitest'
import { createFakeClock } from './clock.ts'

test('timers fire in order of time, once, and not before', () => {
  const clock = createFakeClock(100)
  const fired: [string, number][] = []
  clock.setTimer(20, () => fired.push(['b', clock.now()]))
  clock.setTimer(10, () => fired.push(['a', clock.now()]))
  clock.setTimer(10, () => fired.push(['a2', clock.now()]))
  clock.advance(9)
  expect(fired).toEqual([])
  clock.advance(100)
  expect(fired).toEqual([
    ['a', 110],
    ['a2', 110],
    ['b', 120],
  ])
  expect(clock.now()).toBe(209)
  expect(clock.pending).toBe(0)
})

test('the time of day moves along', () => {
  const clock = createFakeClock(100, Date.UTC(2026, 0, 1))
  clock.advance(1_500)
  expect(new Date(clock.wallNow()).toISOString()).toBe('2026-01-01T00:00:01.500Z')
  expect(Math.abs(createFakeClock().wallNow() - Date.now())).toBeLessThan(60_000)
})

test('a timer set while another fires counts in the same advance', () => {
  const clock = createFakeClock()
  const fired: number[] = []
  const again = () => {
    fired.push(clock.now())
    if (fired.length < 3) clock.setTimer(10, again)
  }
  clock.setTimer(10, again)
  clock.advance(30)
  expect(fired).toEqual([10, 20, 30])
})

test('a cancelled timer does not fire and is not pending', () => {
  const clock = createFakeClock()
  const timer = clock.setTimer(1, () => expect.unreachable())
  expect(clock.pending).toBe(1)
  timer.cancel()
  clock.advance(10)
  expect(clock.pending).toBe(0)
})
