import { McpError } from '../../errors.ts'
import type { Timer } from '../../peer/clock.ts'
import type { Conversation } from '../../peer/conversation.ts'
import type { Waiting } from '../../peer/pending.ts'
import type { Exchange, ExchangeTaker, ResponseHeaders } from './client-exchange.ts'
import { innermost, toTransportError } from './client-failure.ts'

/** What a call needs of the wire it travels on. */
export interface CallCarrier {
  readonly conversation: Conversation
  /** Whom we talk to, for sentences: host and port. */
  readonly where: string
  /** Sends the POST. */
  dispatch(taker: ExchangeTaker, body: string, waiting: Waiting): Exchange
  /** Keeps the session id of an answer to `initialize`; false for one that cannot be a header. */
  keepSession(id: string): boolean
  /** Goes to another path of the same origin from now on; false for anything else. */
  follow(location: string): boolean
  /** Takes up a stream that broke before the answer was there. */
  resume(waiting: Waiting, lastEventId: string, retryMs: number | undefined): void
  setTimer(ms: number, fire: () => void): Timer
}

/** One request of ours over HTTP, from the POST to its answer. */
export class HttpCall implements ExchangeTaker {
  readonly #carrier: CallCarrier
  readonly #waiting: Waiting
  readonly #body: string
  #exchange: Exchange
  #refusal: Readonly<ResponseHeaders> = { contentType: '' }
  #redirects = 0
  #position: string | undefined
  #retryMs: number | undefined
  #linger: Timer | undefined

  constructor(carrier: CallCarrier, waiting: Waiting, body: string) {
    this.#carrier = carrier
    this.#waiting = waiting
    this.#body = body
    waiting.carrier = this
    this.#exchange = carrier.dispatch(this, body, waiting)
  }

  abort(): void {
    this.#linger?.cancel()
    this.#exchange.abort()
  }

  head(status: number, headers: Readonly<ResponseHeaders>): void {
    if (status >= 300) {
      this.#refusal = headers
      return
    }
    const { session, contentEncoding } = headers
    if (
      session !== undefined &&
      this.#waiting.outgoing.method === 'initialize' &&
      !this.#carrier.keepSession(session)
    ) {
      this.#break('it gave a session id that cannot be sent back')
    }
    if (contentEncoding !== undefined && contentEncoding !== 'identity') {
      this.#break('it is compressed, which was not asked for')
    }
  }

  message(message: string): void {
    this.#carrier.conversation.receive(message, this.#waiting)
    // The answer ends the stream; a server that leaves it open holds one of our sockets.
    if (!this.#waiting.open) this.#linger ??= this.#carrier.setTimer(LINGER_MS, () => this.abort())
  }

  retry(ms: number): void {
    this.#retryMs = ms
  }

  position(eventId: string): void {
    this.#position = eventId === '' ? undefined : eventId
  }

  end(status: number, body: string | undefined): void {
    this.#linger?.cancel()
    if (!this.#waiting.open) return
    if (body === undefined) {
      this.#cut(undefined)
      return
    }
    if (status >= 300) {
      this.#refused(status, body)
      return
    }
    const fault = this.#carrier.conversation.receive(body, this.#waiting)
    if (this.#waiting.open) this.#break(fault ?? `HTTP ${status} without the answer`)
  }

  failed(error: Error): void {
    this.#linger?.cancel()
    if (this.#waiting.open) this.#cut(innermost(error))
  }

  /** The stream is over and the answer was not on it. */
  #cut(error: Error | undefined): void {
    const { conversation, where } = this.#carrier
    const { id, outgoing } = this.#waiting
    const unread = error instanceof RangeError || error instanceof TypeError
    if (!unread && this.#position !== undefined && conversation.revision.traits.resumable) {
      this.#carrier.resume(this.#waiting, this.#position, this.#retryMs)
      return
    }
    const failure = toTransportError(error ?? new Error('The stream ended before the answer'), outgoing.method, where)
    conversation.pending.fail(id, failure)
  }

  #refused(status: number, body: string): void {
    const { conversation } = this.#carrier
    const { location, challenge, retryAfter } = this.#refusal
    if (location !== undefined && (status === 307 || status === 308)) {
      if (++this.#redirects <= MAX_REDIRECTS && this.#carrier.follow(location)) {
        this.#exchange = this.#carrier.dispatch(this, this.#body, this.#waiting)
        return
      }
    }
    if (body.trimStart().startsWith('{')) conversation.receive(body, this.#waiting, status)
    if (!this.#waiting.open) return
    conversation.pending.settle(this.#waiting.id, {
      kind: 'refused',
      status,
      text: body.slice(0, MAX_REFUSAL),
      ...(location === undefined ? {} : { location }),
      ...(challenge === undefined ? {} : { challenge }),
      ...(retryAfter === undefined ? {} : { retryAfter }),
    })
  }

  #break(reason: string): void {
    const { conversation, where } = this.#carrier
    const message = `Cannot read the answer of ${where} to "${this.#waiting.outgoing.method}": ${reason}`
    conversation.pending.fail(this.#waiting.id, new McpError('upstream.protocol', message))
    this.abort()
  }
}

const MAX_REDIRECTS = 3
/** How much of a body that is no message is kept to explain a refusal. */
const MAX_REFUSAL = 500
/** How long a stream may stay open after its answer. */
const LINGER_MS = 1_000
