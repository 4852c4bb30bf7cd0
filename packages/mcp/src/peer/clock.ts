/** Time, handed in, so that no test sleeps. */
export interface Clock {
  /** Monotonic milliseconds; only differences mean anything. */
  now(): number
  /** Milliseconds since 1970, for what others read or what outlives the process; may jump with the system's clock. */
  wallNow(): number
  /** Runs `fire` once after `ms`. Does not keep the process alive by itself, unless the options say so. */
  setTimer(ms: number, fire: () => void, options?: TimerOptions): Timer
}

export interface TimerOptions {
  /**
   * The process does not end before it has fired: for what a program awaits, which would otherwise end in the middle,
   * without a word. Default false: what goes on in the background ends with the program.
   */
  readonly keepsAlive?: boolean
}

/** For waits that somebody awaits. */
export const AWAITED: TimerOptions = Object.freeze({ keepsAlive: true })

export interface Timer {
  cancel(): void
}

/**
 * For set-up: a clock that lacks a part would fail in the middle of a call.
 * @throws {TypeError} which names the part
 */
export function checkClock(doing: string, clock: Clock | undefined): void {
  if (clock === undefined) return
  for (const part of ['now', 'wallNow', 'setTimer'] as const) {
    if (typeof clock[part] === 'function') continue
    throw new TypeError(`Cannot ${doing} with a clock that has no ${part}(); it needs now(), wallNow() and setTimer()`)
  }
}

export const systemClock: Clock = Object.freeze({
  now: performance.now.bind(performance),
  wallNow: () => Date.now(), // asked for each time: tests of others replace it
  setTimer(ms: number, fire: () => void, options?: TimerOptions): Timer {
    const handle = setTimeout(fire, ms)
    // A number where this is no Node: nothing there is kept alive by a timer.
    if (typeof handle === 'object' && options?.keepsAlive !== true) handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
})
