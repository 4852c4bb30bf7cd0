import { expect, test } from 'vitest'
import { advance, type Circumstances, toDelay, type UpstreamEvent, type UpstreamState } from './state.ts'

const none = { recent: 0, stillborn: 0 }
const restart = { minDelayMs: 500, maxDelayMs: 60_000, resetAfterMs: 60_000 }
const at = (now: number, more: Partial<Circumstances> = {}): Circumstances => ({
  now,
  restart,
  maxStillborn: 3,
  random: () => 0,
  ...more,
})
const lost = (reason = 'gone'): UpstreamEvent => ({ kind: 'lost', cause: 'gone', reason })
const surveyed = (problem?: string): UpstreamEvent => ({ kind: 'surveyed', problem })

test('a server that starts and tells what it offers is ready', () => {
  const starting = advance({ kind: 'stopped' }, { kind: 'start' }, at(0))
  expect(starting).toEqual({ kind: 'starting', failures: none })
  expect(advance(starting, surveyed(), at(10))).toEqual({ kind: 'ready', failures: none, upAt: 10 })
})

test('a server that could not tell everything is degraded, and ready once it could', () => {
  const degraded = advance({ kind: 'starting', failures: none }, surveyed('tools/list failed'), at(10))
  expect(degraded).toEqual({ kind: 'degraded', failures: none, upAt: 10, reason: 'tools/list failed' })
  expect(advance(degraded, surveyed(), at(20))).toEqual({ kind: 'ready', failures: none, upAt: 10 })
})

test('a server that is lost backs off and keeps the reason while it starts again', () => {
  const backing = advance({ kind: 'ready', failures: none, upAt: 0 }, lost('exit code 1'), at(100))
  const failures = { recent: 1, stillborn: 0 }
  expect(backing).toEqual({ kind: 'backing-off', failures, delayMs: 250, reason: 'exit code 1' })
  expect(advance(backing, { kind: 'start' }, at(400))).toEqual({ kind: 'starting', failures, reason: 'exit code 1' })
})

test('failures add up until the server stayed up long enough', () => {
  const soon: UpstreamState = { kind: 'ready', failures: { recent: 2, stillborn: 0 }, upAt: 0 }
  expect(advance(soon, lost(), at(restart.resetAfterMs - 1))).toMatchObject({ failures: { recent: 3 } })
  expect(advance(soon, lost(), at(restart.resetAfterMs))).toMatchObject({ failures: { recent: 1 } })
})

test('a server that never comes up is given up after a bound, and begins anew by hand', () => {
  const failed = advance({ kind: 'starting', failures: { recent: 9, stillborn: 3 } }, lost('exit code 1'), at(0))
  expect(failed).toEqual({ kind: 'failed', reason: 'exit code 1' })
  expect(advance(failed, { kind: 'start' }, at(0))).toEqual({ kind: 'starting', failures: none, reason: 'exit code 1' })
})

test('a server that comes up each time is never given up, however often it is lost', () => {
  let state: UpstreamState = { kind: 'ready', failures: none, upAt: 0 }
  for (let n = 0; n < 500; n++) {
    state = advance(state, lost(), at(n))
    expect(state.kind).toBe('backing-off')
    state = advance(advance(state, { kind: 'start' }, at(n)), surveyed(), at(n))
  }
  expect(state).toEqual({ kind: 'ready', failures: { recent: 500, stillborn: 0 }, upAt: 499 })
})

test('a server that is not ours to start is never given up', () => {
  const remote = at(0, { maxStillborn: Number.POSITIVE_INFINITY })
  const after = advance({ kind: 'starting', failures: { recent: 1000, stillborn: 1000 } }, lost(), remote)
  const failures = { recent: 1001, stillborn: 1001 }
  expect(after).toEqual({ kind: 'backing-off', failures, delayMs: 30_000, reason: 'gone' })
})

test('a refusal for want of credentials is asked again rarely', () => {
  const refused: UpstreamEvent = { kind: 'lost', cause: 'sign-in', reason: '401' }
  expect(advance({ kind: 'starting', failures: none }, refused, at(0))).toEqual({
    kind: 'needs-sign-in',
    failures: { recent: 1, stillborn: 1 },
    delayMs: 300_000,
    reason: '401',
  })
})

test.each<[UpstreamState['kind'], UpstreamState, UpstreamEvent]>([
  ['stopped', { kind: 'stopped' }, lost()],
  ['stopped', { kind: 'stopped' }, surveyed()],
  ['disabled', { kind: 'disabled' }, { kind: 'start' }],
  ['backing-off', { kind: 'backing-off', failures: none, delayMs: 1, reason: 'x' }, lost()],
  ['ready', { kind: 'ready', failures: none, upAt: 0 }, { kind: 'start' }],
])('an event that means nothing while %s changes nothing', (_, state, event) => {
  expect(advance(state, event, at(1))).toBe(state)
})

test('waits double up to their bound, and chance spreads the upper half', () => {
  const waits = [1, 2, 3, 8, 9, 100].map((failures) => toDelay(failures, restart, () => 0.999_999))
  expect(waits).toEqual([500, 1000, 2000, 60_000, 60_000, 60_000])
  expect(toDelay(3, restart, () => 0)).toBe(1000)
})
