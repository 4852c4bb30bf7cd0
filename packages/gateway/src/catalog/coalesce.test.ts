import { createFakeClock } from '@crosspoint/testkit'
import { expect, test } from 'vitest'
import { coalesce } from './coalesce.ts'

test('abuse-16: a storm fires at once, then at most once an interval, and its last trigger is not lost', () => {
  const clock = createFakeClock()
  const fired: number[] = []
  const { trigger } = coalesce(clock, 1000, () => fired.push(clock.now()))
  for (let n = 0; n < 50; n++) {
    trigger()
    clock.advance(50)
  }
  clock.advance(10_000)
  expect(fired).toEqual([0, 1000, 2000, 3000])
  expect(clock.pending).toBe(0)
})

test('a lone trigger fires once, at once', () => {
  const clock = createFakeClock()
  let fired = 0
  const { trigger } = coalesce(clock, 1000, () => fired++)
  trigger()
  clock.advance(5000)
  expect(fired).toBe(1)
  trigger()
  expect(fired).toBe(2)
})

test('stopping forgets what is pending, and it may begin again', () => {
  const clock = createFakeClock()
  let fired = 0
  const { trigger, stop } = coalesce(clock, 1000, () => fired++)
  trigger()
  trigger()
  stop()
  clock.advance(5000)
  expect(fired).toBe(1)
  expect(clock.pending).toBe(0)
  trigger()
  expect(fired).toBe(2)
})
