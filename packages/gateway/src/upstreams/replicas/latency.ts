/**
 * How long something takes: a mean in which the latest counts most, and which fades while nothing is measured, so that what
 * was slow once is tried again some time.
 */
export class Latency {
  #ms: number | undefined
  #at = 0

  /** In milliseconds; undefined where nothing was measured. */
  at(now: number): number | undefined {
    return this.#ms === undefined ? undefined : this.#ms * Math.exp(-Math.max(0, now - this.#at) / FADE_MS)
  }

  observe(ms: number, now: number): void {
    const before = this.at(now)
    this.#ms = before === undefined ? ms : before + (ms - before) * SHARE
    this.#at = now
  }
}

/** Of the latest in the mean. */
const SHARE = 1 / 4
/** After so long without a measure it is taken for a third of what it was. */
const FADE_MS = 30_000
