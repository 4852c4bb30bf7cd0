import type { Clock } from '@crosspoint/mcp'

/** Counts what is at work, and waits for the end of it. */
export class Drain {
  readonly #clock: Clock
  readonly #waiting = new Set<() => void>()
  #atWork = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get isIdle(): boolean {
    return this.#atWork === 0
  }

  enter(): void {
    this.#atWork++
  }

  leave(): void {
    if (--this.#atWork > 0) return
    for (const done of [...this.#waiting]) done()
  }

  /** Resolves when nothing is at work, and after `ms` at the latest. */
  within(ms: number): Promise<void> {
    if (this.isIdle) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        timer.cancel()
        this.#waiting.delete(done)
        resolve()
      }
      const timer = this.#clock.setTimer(ms, done)
      this.#waiting.add(done)
    })
  }
}
