import type { Clock } from '../peer/clock.ts'

/** Time that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /** Moves time on and fires what is due, in order of time; timers set meanwhile count too. */
  advance(ms: number): void
  /** Timers set and neither fired nor cancelled. A test that ends with some left has a leak. */
  readonly pending: number
}

/**
 * @param start what `now()` says at first. Default 0.
 * @param wallStart what `wallNow()` says at first, in milliseconds since 1970; both move alike. Default: the time it is.
 */
export function createFakeClock(start = 0, wallStart = Date.now()): FakeClock {
  let now = start
  const timers = new Set<{ readonly at: number; readonly fire: () => void }>()
  const dueBy = (end: number) => {
    let next: { readonly at: number; readonly fire: () => void } | undefined
    for (const timer of timers) if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer
    return next
  }
  return {
    now: () => now,
    wallNow: () => wallStart + (now - start),
    setTimer(ms, fire) {
      const timer = { at: now + Math.max(0, ms), fire }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
    advance(ms) {
      const end = now + ms
      for (let timer = dueBy(end); timer !== undefined; timer = dueBy(end)) {
        timers.delete(timer)
        now = timer.at
        timer.fire()
      }
      now = end
    },
    get pending() {
      return timers.size
    },
  }
}
