import type { Clock, Timer } from '../../peer/clock.ts'
import type { ExchangeTaker, ResponseHeaders, Underway } from './client-exchange.ts'

export interface EventStreamOptions {
  readonly clock: Clock
  /** Sends the GET, from `lastEventId` where there is one. */
  readonly open: (taker: ExchangeTaker, lastEventId: string | undefined) => Underway
  readonly message: (text: string) => void
  /** Where to take up a stream that broke; undefined for one that begins. */
  readonly lastEventId?: string
  /** What the server asked to wait before it is opened. Default: nothing for a new stream, else a second. */
  readonly retryMs?: number
  /** How many failures in a row are too many. Default: none, the stream is tried for as long as it is wanted. */
  readonly maxFailures?: number
  /** Whether anybody still wants what comes. */
  readonly wanted: () => boolean
  /** The server said whether it has such a stream at all; told again when one was opened anew, with a gap. */
  readonly known: (has: boolean, reopened: boolean) => void
  /** It will not be tried again. `opened` says that it had been there. */
  readonly over: (reason: string, opened: boolean) => void
}

/** A GET stream of a handshake revision, kept open: what a server sends unasked, or the rest of an answer. */
export class EventStream implements ExchangeTaker {
  readonly #options: EventStreamOptions
  #exchange: Underway | undefined
  #timer: Timer | undefined
  #lastEventId: string | undefined
  #retryMs: number | undefined
  #failures = 0
  #opened = false
  #stopped = false

  constructor(options: EventStreamOptions) {
    this.#options = options
    this.#lastEventId = options.lastEventId
    this.#retryMs = options.retryMs
    if (options.lastEventId === undefined) this.#open()
    else this.#again(false)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#exchange?.abort()
  }

  head(status: number, headers: Readonly<ResponseHeaders>): void {
    const { known } = this.#options
    if (status === 200 && headers.contentType.startsWith('text/event-stream')) {
      known(true, this.#opened && this.#lastEventId === undefined)
      this.#opened = true
      return
    }
    // 405 says that there is no such stream; other refusals mean the same to us, a fault of the server does not.
    if (status >= 500 || status === 408 || status === 429) return
    this.stop()
    if (!this.#opened) known(false, false)
    this.#options.over(`HTTP ${status}`, this.#opened)
  }

  message(text: string): void {
    this.#failures = 0
    this.#options.message(text)
  }

  retry(ms: number): void {
    this.#retryMs = Math.min(Math.max(ms, LEAST_WAIT_MS), MAX_WAIT_MS)
  }

  position(eventId: string): void {
    this.#lastEventId = eventId === '' ? undefined : eventId
  }

  end(status: number): void {
    this.#again(status >= 300)
  }

  failed(): void {
    this.#again(true)
  }

  #open(): void {
    this.#exchange = this.#options.open(this, this.#lastEventId)
  }

  #again(failed: boolean): void {
    if (this.#stopped || !this.#options.wanted()) return
    if (failed && ++this.#failures >= (this.#options.maxFailures ?? Number.POSITIVE_INFINITY)) {
      this.#stopped = true
      this.#options.over(`${this.#failures} failures in a row`, this.#opened)
      return
    }
    const wait = Math.min((this.#retryMs ?? FIRST_WAIT_MS) * 2 ** Math.min(this.#failures, 5), MAX_WAIT_MS)
    // An end without anything new counts a little, so that a server which closes at once is not asked all the time.
    if (!failed) this.#failures = Math.min(this.#failures + 1, 5)
    this.#timer = this.#options.clock.setTimer(wait, () => {
      if (!this.#stopped && this.#options.wanted()) this.#open()
    })
  }
}

const FIRST_WAIT_MS = 1_000
/** A server that wants no wait at all would keep us asking without end. */
const LEAST_WAIT_MS = 50
const MAX_WAIT_MS = 30_000
