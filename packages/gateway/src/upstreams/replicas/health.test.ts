import fc from 'fast-check'
import { expect, test } from 'vitest'
import { advance, type Health, type HealthEvent, isLeftAlone, WELL } from './health.ts'

const settings = { failures: 3, ejectMs: 1_000, maxEjectMs: 8_000 }
const failed: HealthEvent = { kind: 'failed', isUnreachable: false, retryAfterMs: undefined }
const answered: HealthEvent = { kind: 'answered' }

function after(events: readonly (HealthEvent | number)[]) {
  let now = 0
  let health: Health = WELL
  for (const event of events) {
    if (typeof event === 'number') now += event
    else health = advance(health, event, now, settings)
  }
  return { health, isAlone: isLeftAlone(health, now, settings), pauseMs: health.until - now }
}

test('a replica is left alone after so many failures in a row, each time for longer, up to a bound', () => {
  expect(after([failed, failed, answered, failed, failed]).isAlone).toBe(false)
  const once = [failed, failed, failed]
  expect(after(once)).toMatchObject({ isAlone: true, pauseMs: 1_000 })
  const twice = [...once, 1_000, ...once]
  expect(after(twice).pauseMs).toBe(2_000)
  const often = Array.from({ length: 9 }, () => [...once, 8_000]).flat()
  expect(after([...often, ...once]).pauseMs).toBe(8_000)
})

test('what was unreachable once is left alone at once, and what says when to come back as long as it says', () => {
  const unreachable: HealthEvent = { kind: 'failed', isUnreachable: true, retryAfterMs: undefined }
  expect(after([unreachable]).pauseMs).toBe(1_000)
  expect(after([{ kind: 'failed', isUnreachable: true, retryAfterMs: 300 }])).toMatchObject({
    pauseMs: 300,
    health: { ejections: 0 },
  })
  expect(after([{ kind: 'failed', isUnreachable: true, retryAfterMs: 1e9 }]).pauseMs).toBe(8_000)
})

test('calls that were on their way when it was left alone make it no longer', () => {
  expect(after([failed, failed, failed, failed, failed, failed, failed]).pauseMs).toBe(1_000)
})

test('one that stays well for as long as it was left alone begins anew', () => {
  const eject = [failed, failed, failed]
  expect(after([...eject, 1_000, answered, ...eject]).pauseMs).toBe(2_000)
  expect(after([...eject, 2_000, answered, ...eject]).pauseMs).toBe(1_000)
})

test('checks that nothing comes of leave it alone until it is heard again, whatever calls do', () => {
  const unheard: HealthEvent = { kind: 'unheard' }
  expect(after([unheard, unheard]).isAlone).toBe(false)
  expect(after([unheard, unheard, unheard]).isAlone).toBe(true)
  expect(after([unheard, unheard, unheard, 1e9, answered]).isAlone).toBe(true)
  expect(after([unheard, unheard, unheard, { kind: 'heard' }]).isAlone).toBe(false)
})

test('whatever happens, it is never left alone for longer than the bound, and what goes well ends it', () => {
  const event = fc.oneof<fc.Arbitrary<HealthEvent | number>[]>(
    fc.constant(answered),
    fc.constant(failed),
    fc.record({ kind: fc.constant('failed' as const), isUnreachable: fc.boolean(), retryAfterMs: fc.nat() }),
    fc.constant<HealthEvent>({ kind: 'heard' }),
    fc.constant<HealthEvent>({ kind: 'unheard' }),
    fc.nat({ max: 10_000 }),
  )
  fc.assert(
    fc.property(fc.array(event, { maxLength: 50 }), (events) => {
      expect(after(events).pauseMs).toBeLessThanOrEqual(settings.maxEjectMs)
      expect(after([...events, { kind: 'heard' }, settings.maxEjectMs]).isAlone).toBe(false)
    }),
  )
})
