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
  /** Somebody awaits what comes, so that the process does not end while it waits to open the stream again. Default false. */
  readonly keepsAlive?: boolean
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
  /** The server said on this exchange how long it wants us to stay away. */
  #wasAsked = false
  #lastEventId: string | undefined
  #retryMs: number | undefined
  /** In a row. */
  #failures = 0
  /** Attempts in a row that brought nothing. */
  #fruitless = 0
  #opened = false
  #stopped = false

  constructor(options: EventStreamOptions) {
    this.#options = options
    this.#lastEventId = options.lastEventId
    this.#retryMs = options.retryMs === undefined ? undefined : toRetry(options.retryMs)
    this.#wasAsked = options.retryMs !== undefined
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
    this.#fruitless = 0
    this.#options.message(text)
    // Nobody wants more, as after the answer to a request: a server that leaves it open holds one of our sockets.
    if (!this.#options.wanted()) this.#timer ??= this.#options.clock.setTimer(LINGER_MS, () => this.stop())
  }

  retry(ms: number): void {
    this.#wasAsked = true
    this.#retryMs = toRetry(ms)
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
    this.#timer = undefined
    this.#wasAsked = false
    this.#exchange = this.#options.open(this, this.#lastEventId)
  }

  #again(failed: boolean): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#stopped || !this.#options.wanted()) return
    this.#failures = failed ? this.#failures + 1 : 0
    if (this.#failures >= (this.#options.maxFailures ?? Number.POSITIVE_INFINITY)) {
      this.#stopped = true
      this.#options.over(`${this.#failures} failures in a row`, this.#opened)
      return
    }
    if (failed) this.#fruitless++
    const wait = this.#toWait(failed)
    // An end without anything new counts too, so that a server which closes at once is not asked all the time.
    if (!failed) this.#fruitless++
    const { clock, keepsAlive = false } = this.#options
    const again = () => {
      if (!this.#stopped && this.#options.wanted()) this.#open()
    }
    this.#timer = clock.setTimer(wait, again, { keepsAlive })
  }

  /** Never less than the server asked for, and more each time that nothing came of it. */
  #toWait(failed: boolean): number {
    const growth = 2 ** Math.min(this.#fruitless, MAX_GROWTH)
    // A server that lets go of its connections on purpose says when to come back, and that is when.
    const isAsked = !failed && this.#wasAsked
    const grown = (isAsked ? LEAST_WAIT_MS : (this.#retryMs ?? FIRST_WAIT_MS)) * growth
    return Math.max(this.#retryMs ?? 0, Math.min(grown, MAX_WAIT_MS))
  }
}

/** What a server may ask for: no wait at all would keep us asking, too long a one would be an end. */
function toRetry(ms: number): number {
  return Math.min(Math.max(ms, LEAST_WAIT_MS), MOST_ASKED_MS)
}

const FIRST_WAIT_MS = 1_000
const LEAST_WAIT_MS = 50
/** What waits grow to by themselves. */
const MAX_WAIT_MS = 30_000
const MOST_ASKED_MS = 10 * 60_000
/** Doublings. */
const MAX_GROWTH = 5
/** How long a stream may stay open after the last thing anybody wanted of it. */
const LINGER_MS = 1_000
