import type { Clock, Interim, Notification, Timer } from '@crosspoint/mcp'

/**
 * The way back to a caller, at a pace: of what a server says during one call so many notifications a second pass.
 * Beyond that the newest progress waits until the second is over, or the call, and log messages are counted and left
 * out, which one of our own says. A server that talks faster than anybody reads costs its caller no more than that.
 */
export class PacedInterim implements Interim {
  readonly progress: boolean
  readonly logLevel: Interim['logLevel']
  readonly canAsk: boolean
  readonly ask: Interim['ask']
  readonly pause: Interim['pause']
  readonly #inner: Interim
  readonly #clock: Clock
  /** What passed in this second. */
  #passed = 0
  #second: Timer | undefined
  #newest: Notification | undefined
  #leftOut = 0

  constructor(inner: Interim, clock: Clock) {
    this.progress = inner.progress
    this.logLevel = inner.logLevel
    this.canAsk = inner.canAsk
    this.ask = inner.ask
    this.pause = inner.pause
    this.#inner = inner
    this.#clock = clock
  }

  notify(notification: Notification): void {
    const { method } = notification
    if (method !== PROGRESS && method !== MESSAGE) {
      this.#inner.notify(notification)
      return
    }
    this.#second ??= this.#clock.setTimer(1_000, () => this.#begin())
    if (this.#passed < MAX_PER_SECOND) {
      this.#passed++
      this.#inner.notify(notification)
    } else if (method === PROGRESS) this.#newest = notification
    else this.#leftOut++
  }

  /** Says what waits: before the answer. What comes later passes by. */
  flush(): void {
    this.#second?.cancel()
    this.#second = undefined
    this.#say()
  }

  #begin(): void {
    this.#second = undefined
    this.#say()
  }

  #say(): void {
    const [newest, leftOut] = [this.#newest, this.#leftOut]
    this.#newest = undefined
    this.#leftOut = 0
    this.#passed = 0
    if (newest !== undefined) this.#inner.notify(newest)
    if (leftOut === 0) return
    const data = `${leftOut} log messages of this call were left out: it logs too much at once`
    this.#inner.notify({ method: MESSAGE, params: { level: 'warning', logger: 'crosspoint', data } })
  }
}

const PROGRESS = 'notifications/progress'
const MESSAGE = 'notifications/message'
const MAX_PER_SECOND = 100
