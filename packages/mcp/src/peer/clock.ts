/** Time, handed in, so that no test sleeps. `now` is monotonic milliseconds; only differences mean anything. */
export interface Clock {
  now(): number
  /** Runs `fire` once after `ms`. Does not keep the process alive by itself. */
  setTimer(ms: number, fire: () => void): Timer
}

export interface Timer {
  cancel(): void
}

export const systemClock: Clock = Object.freeze({
  now: performance.now.bind(performance),
  setTimer(ms: number, fire: () => void): Timer {
    const handle = setTimeout(fire, ms)
    // A number where this is no Node: nothing there is kept alive by a timer.
    if (typeof handle === 'object') handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
})
