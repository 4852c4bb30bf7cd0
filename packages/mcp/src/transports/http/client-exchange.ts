import { isUtf8 } from 'node:buffer'
import type { Dispatcher } from 'undici'
import { McpError } from '../../errors.ts'
import type { Timer } from '../../peer/clock.ts'
import type { Conversation } from '../../peer/conversation.ts'
import type { Waiting } from '../../peer/pending.ts'
import { areUtf8, BytePieces } from '../byte-pieces.ts'
import { innermost, toRefusal, toTransportError } from './client-failure.ts'
import { SseReader } from './sse-reader.ts'

/** What we read of a response's headers. */
export interface ResponseHeaders {
  /** Empty where there is none. */
  contentType: string
  contentEncoding?: string
  session?: string
  location?: string
  /** `WWW-Authenticate`. */
  challenge?: string
  /** As it came: seconds or a date. */
  retryAfter?: string
  /** `DPoP-Nonce`. */
  nonce?: string
}

/** Something sent that can be let go of. */
export interface Underway {
  /** Lets go of the connection; the taker hears nothing more. */
  abort(): void
}

/** Who is told what one HTTP exchange brings. */
export interface ExchangeTaker {
  /** The status line and headers are here; the body follows unless the exchange is aborted. */
  head(status: number, headers: Readonly<ResponseHeaders>): void
  /** One message of an event stream. */
  message(text: string): void
  /** An event of another type than that of messages. */
  event?(type: string, text: string): void
  /** How long the stream asks to wait before it is opened again. */
  retry(ms: number): void
  /** Where the stream is, should it break. */
  position(eventId: string): void
  /**
   * A complete body that is not small, in pieces of UTF-8, before its text is given to `end`; true where that is not
   * needed any more.
   */
  whole?(status: number, pieces: readonly Uint8Array[], size: number): boolean
  /** The body is complete: its text, or undefined where it was a stream. */
  end(status: number, text: string | undefined): void
  /** There was no answer, or it broke off, or it is not what HTTP or UTF-8 allow. */
  failed(error: Error): void
}

/**
 * One HTTP request and what comes back, whole or as an event stream, within bounds. Takes undici's dispatch as it
 * is, raw headers included: a `fetch` costs ten times as much and cannot be given up without a signal of its own.
 */
export class Exchange implements Dispatcher.DispatchHandler, Underway {
  readonly #taker: ExchangeTaker
  readonly #maxBytes: number
  #abort: ((error: Error) => void) | undefined
  #dropped = false
  #status = 0
  #first: Buffer | undefined
  #more: BytePieces | undefined
  #bytes = 0
  #reader: SseReader | undefined

  constructor(taker: ExchangeTaker, maxBytes: number) {
    this.#taker = taker
    this.#maxBytes = maxBytes
  }

  abort(): void {
    if (this.#dropped) return
    this.#dropped = true
    this.#abort?.(new Error('Given up'))
  }

  onConnect(abort: (error?: Error) => void): void {
    this.#abort = abort
    if (this.#dropped) abort(new Error('Given up'))
  }

  onHeaders(status: number, raw: Buffer[]): boolean {
    if (status < 200 || this.#dropped) return true
    this.#status = status
    const headers = readHeaders(raw)
    this.#taker.head(status, headers)
    if (status >= 300 || !EVENT_STREAM.test(headers.contentType)) return true
    this.#reader = new SseReader(this.#maxBytes, {
      event: ({ type: name, data }) => {
        if (this.#dropped) return
        if (name === 'message') this.#taker.message(data)
        else this.#taker.event?.(name, data)
      },
      retry: (ms) => this.#taker.retry(ms),
      id: (id) => this.#taker.position(id),
    })
    return true
  }

  onData(chunk: Buffer): boolean {
    if (this.#dropped) return true
    if (this.#reader !== undefined) {
      this.#read(this.#reader, chunk)
      return true
    }
    this.#bytes += chunk.length
    if (this.#bytes > this.#maxBytes) this.#giveUp(new RangeError(`The answer is larger than ${this.#maxBytes} bytes`))
    else if (this.#first === undefined) this.#first = chunk
    else {
      if (this.#more === undefined) {
        this.#more = new BytePieces()
        this.#more.add(this.#first)
      }
      this.#more.add(chunk)
    }
    return true
  }

  onComplete(): void {
    if (this.#dropped) return
    this.#dropped = true
    if (this.#reader !== undefined) {
      this.#taker.end(this.#status, undefined)
      return
    }
    const pieces = this.#more?.take()
    const only = this.#first ?? EMPTY
    if (this.#bytes >= WHOLE && this.#isTaken(pieces ?? [only])) return
    const body = pieces === undefined ? only : Buffer.concat(pieces)
    if (isUtf8(body)) this.#taker.end(this.#status, body.toString('utf8'))
    else this.#taker.failed(new TypeError('The answer is not UTF-8'))
  }

  onError(error: Error): void {
    if (this.#dropped) return
    this.#dropped = true
    this.#taker.failed(error)
  }

  #isTaken(pieces: readonly Buffer[]): boolean {
    return areUtf8(pieces) && this.#taker.whole?.(this.#status, pieces, this.#bytes) === true
  }

  #read(reader: SseReader, chunk: Buffer): void {
    try {
      reader.push(chunk)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.#giveUp(error)
    }
  }

  #giveUp(error: Error): void {
    this.abort()
    this.#taker.failed(error)
  }
}

/** What a call needs of the wire it travels on. */
export interface CallCarrier {
  readonly conversation: Conversation
  /** Whom we talk to, for sentences: host and port. */
  readonly where: string
  /** Sends the POST. */
  dispatch(taker: ExchangeTaker, body: string, waiting: Waiting): Underway
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
  #exchange: Underway
  #refusal: Readonly<ResponseHeaders> | undefined
  #contentType = ''
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
    this.#contentType = headers.contentType
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

  whole(status: number, pieces: readonly Uint8Array[], size: number): boolean {
    return status < 300 && this.#waiting.open && this.#carrier.conversation.relay(pieces, size, this.#waiting)
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
    if (!this.#waiting.open) return
    this.#break(WEB_PAGE.test(this.#contentType) ? IS_WEB_PAGE : (fault ?? `HTTP ${status} without the answer`))
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
    const { location, retryAfter } = this.#refusal ?? {}
    if (location !== undefined && (status === 307 || status === 308)) {
      if (++this.#redirects <= MAX_REDIRECTS && this.#carrier.follow(location)) {
        this.#exchange = this.#carrier.dispatch(this, this.#body, this.#waiting)
        return
      }
    }
    if (body.trimStart().startsWith('{')) conversation.receive(body, this.#waiting, { status, retryAfter })
    if (!this.#waiting.open) return
    conversation.pending.settle(this.#waiting.id, toRefusal(status, body, this.#refusal))
  }

  #break(reason: string): void {
    const { conversation, where } = this.#carrier
    const message = `Cannot read the answer of ${where} to "${this.#waiting.outgoing.method}": ${reason}`
    conversation.pending.fail(this.#waiting.id, new McpError('upstream.protocol', message))
    this.abort()
  }
}

/** The few headers anybody here asks about, out of name, value, name, value as they came. */
function readHeaders(raw: readonly Buffer[]): ResponseHeaders {
  const headers: ResponseHeaders = { contentType: '' }
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at]
    if (name === undefined || !LENGTHS.has(name.length)) continue
    const member = MEMBERS.get(name.toString('latin1').toLowerCase())
    if (member === undefined) continue
    const value = raw[at + 1]?.toString('latin1') ?? ''
    // The one header here that may come more than once; of the others the last counts.
    headers[member] =
      member === 'challenge' && headers.challenge !== undefined ? `${headers.challenge}, ${value}` : value
  }
  return headers
}

const MEMBERS: ReadonlyMap<string, keyof ResponseHeaders> = new Map([
  ['content-type', 'contentType'],
  ['content-encoding', 'contentEncoding'],
  ['mcp-session-id', 'session'],
  ['location', 'location'],
  ['www-authenticate', 'challenge'],
  ['retry-after', 'retryAfter'],
  ['dpop-nonce', 'nonce'],
])
const LENGTHS: ReadonlySet<number> = new Set([...MEMBERS.keys()].map((name) => name.length))
const EMPTY = Buffer.alloc(0)
/** Bodies of fewer bytes are text, whoever takes them. */
const WHOLE = 4_096
const EVENT_STREAM = /^text\/event-stream\b/i
const WEB_PAGE = /^text\/html\b/i
const IS_WEB_PAGE = 'there is a web page (text/html) and no MCP server; check the path of the URL'
const MAX_REDIRECTS = 3
/** How long a stream may stay open after its answer. */
const LINGER_MS = 1_000
