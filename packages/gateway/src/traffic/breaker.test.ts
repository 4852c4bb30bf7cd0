import fc from 'fast-check'
import { expect, test } from 'vitest'
import { advance, type BreakerEvent, type BreakerState, toClosed, toWait } from './breaker.ts'

const SETTINGS = { failures: 3, windowMs: 1_000, openMs: 500 }
const FAILED: BreakerEvent = { kind: 'failed', retryAfterMs: undefined }
const ANSWERED: BreakerEvent = { kind: 'answered' }
const ASKED: BreakerEvent = { kind: 'asked' }

const after = (events: readonly BreakerEvent[], now = 0, state = toClosed(0)) =>
  events.reduce<BreakerState>((before, event) => advance(before, event, now, SETTINGS), state)

test('opens after so many failures in a while, if they are half of the calls', () => {
  expect(after([FAILED, FAILED]).kind).toBe('closed')
  expect(after([FAILED, FAILED, FAILED])).toEqual({ kind: 'open', until: 500 })
  expect(after([FAILED, ANSWERED, ANSWERED, ANSWERED, ANSWERED, FAILED, FAILED]).kind).toBe('closed')
  expect(after([FAILED], 1_500, after([FAILED, FAILED])).kind).toBe('closed')
})

test('stays open as long as its server said, within reason', () => {
  const failed = (retryAfterMs: number): BreakerEvent => ({ kind: 'failed', retryAfterMs })
  expect(after([FAILED, FAILED, failed(9_000)])).toEqual({ kind: 'open', until: 9_000 })
  expect(after([FAILED, FAILED, failed(1e9)])).toEqual({ kind: 'open', until: 600_000 })
})

test('lets one call find out, and keeps the others back meanwhile', () => {
  const open = after([FAILED, FAILED, FAILED])
  expect(toWait(open, after([ASKED], 499, open), 499)).toBe(1)
  const probing = after([ASKED], 500, open)
  expect([probing.kind, toWait(open, probing, 500)]).toEqual(['probing', undefined])
  expect(toWait(probing, after([ASKED], 501, probing), 501)).toBe(1_000)
  expect(after([ANSWERED], 600, probing)).toEqual(toClosed(600))
  expect(after([FAILED], 600, probing)).toEqual({ kind: 'open', until: 1_100 })
  expect(after([{ kind: 'nothing' }], 600, probing)).toEqual({ kind: 'open', until: 600 })
})

test('whatever happens, a call passes again sooner or later', () => {
  const event = fc.constantFrom(FAILED, ANSWERED, ASKED, { kind: 'nothing' } as const)
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.nat(2_000))), (steps) => {
      let now = 0
      let state: BreakerState = toClosed(0)
      for (const [one, ms] of steps) {
        now += ms
        state = advance(state, one, now, SETTINGS)
      }
      now += 60_000
      const asked = advance(state, ASKED, now, SETTINGS)
      expect(toWait(state, asked, now)).toBeUndefined()
    }),
  )
})
