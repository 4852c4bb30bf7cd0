import { McpError } from '../../errors.ts'
import type { Refusal } from '../../peer/pending.ts'
import { parseUrl } from '../../protocol/url.ts'
import type { ExchangeTaker, ResponseHeaders, Underway } from '../http/client-exchange.ts'
import { innermost, toRefusal, toTransportError } from '../http/client-failure.ts'

export interface StreamEvents {
  /** Sends the GET. */
  readonly open: (taker: ExchangeTaker, url: URL) => Underway
  /** The server named where it takes messages. */
  readonly ready: () => void
  readonly message: (text: string) => void
  /** The stream is over, or never was one. Told once, and not after `stop`. */
  readonly over: (reason: Refusal | McpError) => void
}

/** One stream of a server of the oldest revision, from the GET to its end. It is the session. */
export class ClientStream implements ExchangeTaker {
  readonly #where: string
  readonly #events: StreamEvents
  #url: URL
  #exchange: Underway | undefined
  #refusal: Readonly<ResponseHeaders> | undefined
  #redirects = 0
  #target: URL | undefined
  #isOver = false

  constructor(url: URL, where: string, events: StreamEvents) {
    this.#url = url
    this.#where = where
    this.#events = events
  }

  open(): void {
    this.#exchange = this.#events.open(this, this.#url)
  }

  /** Where to POST; undefined until the server has said it, and when the stream is over. */
  get target(): URL | undefined {
    return this.#isOver ? undefined : this.#target
  }

  stop(): void {
    this.#isOver = true
    this.#exchange?.abort()
  }

  head(status: number, headers: Readonly<ResponseHeaders>): void {
    if (status >= 300) {
      this.#refusal = headers
      return
    }
    const { contentType, contentEncoding } = headers
    if (!contentType.startsWith('text/event-stream')) {
      const found = contentType === '' ? 'something without a type' : `"${contentType.slice(0, 100)}"`
      this.#fail('upstream.unavailable', `it answers with ${found}, not with an event stream`)
    } else if (contentEncoding !== undefined && contentEncoding !== 'identity') {
      this.#fail('upstream.protocol', 'it is compressed, which was not asked for')
    }
  }

  event(type: string, text: string): void {
    if (type !== 'endpoint' || this.#target !== undefined) return
    const target = parseUrl(text, this.#url)
    // What we send may hold credentials, which are for this origin and no other.
    if (target === undefined || target.origin !== this.#url.origin || target.username !== '') {
      this.#fail('upstream.protocol', 'it names an endpoint that is not of the same origin')
      return
    }
    this.#target = target
    this.#events.ready()
  }

  message(text: string): void {
    this.#events.message(text)
  }

  retry(): void {}

  position(): void {}

  end(status: number, body: string | undefined): void {
    if (status >= 300) this.#refused(status, body)
    else this.#over(new McpError('upstream.unavailable', `${this.#where} ended the stream`))
  }

  failed(error: Error): void {
    this.#over(toTransportError(innermost(error), 'GET', this.#where))
  }

  #refused(status: number, body: string | undefined): void {
    const { location } = this.#refusal ?? {}
    if (location !== undefined && REDIRECTS.has(status) && this.#follow(location)) return
    this.#over(toRefusal(status, body, this.#refusal))
  }

  #follow(location: string): boolean {
    const url = parseUrl(location, this.#url)
    if (url === undefined || url.origin !== this.#url.origin || ++this.#redirects > MAX_REDIRECTS) return false
    this.#url = url
    this.open()
    return true
  }

  #fail(code: 'upstream.unavailable' | 'upstream.protocol', reason: string): void {
    this.#exchange?.abort()
    this.#over(new McpError(code, `Cannot open a stream of ${this.#where}: ${reason}`))
  }

  #over(reason: Refusal | McpError): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#events.over(reason)
  }
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 307, 308])
const MAX_REDIRECTS = 3
