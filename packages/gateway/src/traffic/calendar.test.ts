import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCalendar } from './calendar.ts'

const at = (text: string) => Date.parse(text)
const HOUR_MS = 3_600_000
const ZONES = Intl.supportedValuesOf('timeZone')

/** Where clocks are changed at midnight, by half an hour, over a whole day, or never. */
const ODD = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Sao_Paulo',
  'America/St_Johns',
  'America/Havana',
  'Africa/Cairo',
  'Asia/Beirut',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Chatham',
  'Antarctica/Troll',
]
const zone = fc.oneof(fc.constantFrom(...ODD), fc.constantFrom(...ZONES))
/** Near midnights and changes of clocks as much as anywhere. */
const moment = fc.integer({ min: at('1975-01-01T00:00Z'), max: at('2037-01-01T00:00Z') })

test.each([
  // Clocks are set forward at 2:00, and back at 3:00.
  ['day', 'Europe/Berlin', '2026-03-29T12:00Z', '2026-03-28T23:00Z', '2026-03-29T22:00Z'],
  ['day', 'Europe/Berlin', '2026-10-25T12:00Z', '2026-10-24T22:00Z', '2026-10-25T23:00Z'],
  ['week', 'Europe/Berlin', '2026-03-29T21:59:59.999Z', '2026-03-22T23:00Z', '2026-03-29T22:00Z'],
  ['month', 'Europe/Berlin', '2026-03-29T22:00Z', '2026-02-28T23:00Z', '2026-03-31T22:00Z'],
  // There is no midnight, but 1:00.
  ['day', 'America/Sao_Paulo', '2018-11-04T12:00Z', '2018-11-04T03:00Z', '2018-11-05T02:00Z'],
  // A whole day is left out.
  ['day', 'Pacific/Apia', '2011-12-30T09:00Z', '2011-12-29T10:00Z', '2011-12-30T10:00Z'],
  ['day', 'Pacific/Apia', '2011-12-30T11:00Z', '2011-12-30T10:00Z', '2011-12-31T10:00Z'],
  // Midnight comes twice: the day has begun with the first.
  ['day', 'America/Havana', '2025-11-02T05:30Z', '2025-11-02T04:00Z', '2025-11-03T05:00Z'],
  ['hour', 'Asia/Kathmandu', '2026-01-01T00:00Z', '2025-12-31T23:15Z', '2026-01-01T00:15Z'],
  ['day', 'UTC', '2026-01-01T00:00Z', '2026-01-01T00:00Z', '2026-01-02T00:00Z'],
  ['month', 'UTC', '2028-02-29T23:59Z', '2028-02-01T00:00Z', '2028-03-01T00:00Z'],
  ['week', 'UTC', '2026-01-01T00:00Z', '2025-12-29T00:00Z', '2026-01-05T00:00Z'],
] as const)('the %s of %s at %s is from %s to %s', (every, timezone, now, start, end) => {
  const period = createCalendar(every, timezone)(at(now))
  expect([period.start, period.end].map((ms) => new Date(ms).toISOString())).toEqual(
    [start, end].map((text) => new Date(at(text)).toISOString()),
  )
})

test('a name that is no time zone is refused', () => {
  expect(() => createCalendar('day', 'Europe/Nowhere')).toThrow(RangeError)
})

describe.each(['day', 'week', 'month'] as const)('each %s', (every) => {
  test('holds its moments, ends where the next begins, and begins with the clocks, changed or not', () => {
    fc.assert(
      fc.property(zone, moment, (timezone, now) => {
        const calendar = createCalendar(every, timezone)
        const { start, end } = calendar(now)
        expect(start).toBeLessThanOrEqual(now)
        expect(end).toBeGreaterThan(now)
        const fresh = createCalendar(every, timezone)
        expect(fresh(start)).toEqual({ start, end })
        expect(fresh(end - 1)).toEqual({ start, end })
        expect(fresh(end).start).toBe(end)
        expect(fresh(start - 1).end).toBe(start)
        const days = (end - start) / (24 * HOUR_MS)
        const [least, most] = { day: [0.9, 1.1], week: [5.9, 7.1], month: [26.9, 31.1] }[every] as [number, number]
        expect(days).toBeGreaterThanOrEqual(least)
        expect(days).toBeLessThanOrEqual(most)
        // Clocks show a beginning, or were set forward over it.
        const show = (ms: number) =>
          Number(new Intl.DateTimeFormat('en-GB', { timeZone: timezone, hour: 'numeric', hourCycle: 'h23' }).format(ms))
        expect(show(start) === 0 || show(start - 1) > 20).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})

test('each hour holds its moments, and begins where clocks show a full hour, unless they were changed in it', () => {
  fc.assert(
    fc.property(zone, moment, (timezone, now) => {
      const { start, end } = createCalendar('hour', timezone)(now)
      expect(end - start).toBe(HOUR_MS)
      expect(now >= start && now < end).toBe(true)
      const minutes = (ms: number) =>
        new Intl.DateTimeFormat('en-GB', { timeZone: timezone, minute: '2-digit', second: '2-digit' }).format(ms)
      const isChanged = minutes(now) !== minutes(now - HOUR_MS) || minutes(now) !== minutes(now + HOUR_MS)
      expect(isChanged || minutes(start) === '00:00').toBe(true)
    }),
    { numRuns: 300 },
  )
})
