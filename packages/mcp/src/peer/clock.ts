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
    handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
})
