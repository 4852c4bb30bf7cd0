import type { Every } from '../config/model-traffic.ts'

/** A stretch of the calendar, in milliseconds since 1970: from `start` on, up to and without `end`. */
export interface Period {
  readonly start: number
  readonly end: number
}

/**
 * Says which hour, day, week (from Monday) or month it is somewhere. Each begins with the first moment at which the clocks there
 * have come so far, so that a day may be 23 or 25 hours long, and none is missing or counted twice.
 * @param timezone a name of the IANA database
 * @throws {RangeError} where there is no such time zone
 */
export function createCalendar(every: Every, timezone: string): (now: number) => Period {
  const clocks = new WallClocks(timezone)
  let current: Period = { start: 0, end: 0 }
  return (now) => {
    if (now < current.start || now >= current.end)
      current = every === 'hour' ? hourAt(clocks, now) : spanAt(clocks, every, now)
    return current
  }
}

/** From one full hour of the clocks to the next; where they are set back, the same hour comes twice. */
function hourAt(clocks: WallClocks, now: number): Period {
  const start = now - (((clocks.read(now) % HOUR_MS) + HOUR_MS) % HOUR_MS)
  return { start, end: start + HOUR_MS }
}

function spanAt(clocks: WallClocks, every: Exclude<Every, 'hour'>, now: number): Period {
  const reading = startOf(every, clocks.read(now), 0)
  const end = clocks.firstAt(startOf(every, reading, 1))
  // Clocks that were set back over midnight show the day before again, which is over.
  if (now >= end) return { start: end, end: clocks.firstAt(startOf(every, reading, 2)) }
  return { start: clocks.firstAt(reading), end }
}

/** What clocks show when the span begins that is so many after the one of a reading. */
function startOf(every: Exclude<Every, 'hour'>, reading: number, later: number): number {
  const date = new Date(reading)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
  if (every === 'month') return Date.UTC(year, month + later, 1)
  if (every === 'day') return Date.UTC(year, month, day + later)
  const sinceMonday = (date.getUTCDay() + 6) % 7
  return Date.UTC(year, month, day - sinceMonday + 7 * later)
}

/** What clocks show somewhere: a reading is the moment at which clocks in UTC show the same. */
class WallClocks {
  readonly #format: Intl.DateTimeFormat

  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  }

  read(at: number): number {
    const parts = new Map(this.#format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0
    const seconds = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
    return seconds + (((at % 1_000) + 1_000) % 1_000)
  }

  /** The first moment at which clocks show this, or more where it is left out. */
  firstAt(reading: number): number {
    const [early, late] = [reading - this.#offsetAt(reading - FAR_MS), reading - this.#offsetAt(reading + FAR_MS)].sort(
      (a, b) => a - b,
    ) as [number, number] // two were sorted
    if (this.read(early) === reading) return early
    if (this.read(late) === reading) return late
    // Clocks were set forward over it: in between is the moment at which they were.
    let [before, after] = [early, late]
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2)
      if (this.read(middle) < reading) before = middle
      else after = middle
    }
    return after
  }

  #offsetAt(at: number): number {
    return this.read(at) - at
  }
}

const HOUR_MS = 3_600_000
/** Further than any clock is from UTC, and nearer than two changes of it are to each other. */
const FAR_MS = 36 * HOUR_MS
