import { isUtf8 } from 'node:buffer'
import type { Dispatcher } from 'undici'
import { SseReader } from './sse-reader.ts'

export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>

/** Who is told what one HTTP exchange brings. */
export interface ExchangeTaker {
  /** The status line and headers are here; the body follows unless the exchange is aborted. */
  head(status: number, headers: ResponseHeaders): void
  /** One message of an event stream. */
  message(text: string): void
  /** How long the stream asks to wait before it is opened again. */
  retry(ms: number): void
  /** Where the stream is, should it break. */
  position(eventId: string): void
  /** The body is complete: its text, or undefined where it was a stream. */
  end(status: number, text: string | undefined): void
  /** There was no answer, or it broke off, or it is not what HTTP or UTF-8 allow. */
  failed(error: Error): void
}

/**
 * One HTTP request and what comes back, whole or as an event stream, within bounds. Handles undici's dispatch
 * itself: a `fetch` costs ten times as much, and cannot be given up without a signal of its own.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #taker: ExchangeTaker
  readonly #maxBytes: number
  #controller: Dispatcher.DispatchController | undefined
  #dropped = false
  #status = 0
  #chunks: Buffer[] = []
  #bytes = 0
  #reader: SseReader | undefined

  constructor(taker: ExchangeTaker, maxBytes: number) {
    this.#taker = taker
    this.#maxBytes = maxBytes
  }

  /** Lets go of the connection; the taker hears nothing more. */
  abort(): void {
    if (this.#dropped) return
    this.#dropped = true
    this.#controller?.abort(new Error('Given up'))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#dropped) controller.abort(new Error('Given up'))
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: ResponseHeaders): void {
    if (status < 200 || this.#dropped) return
    this.#status = status
    this.#taker.head(status, headers)
    const type = headers['content-type']
    if (status >= 300 || typeof type !== 'string' || !EVENT_STREAM.test(type)) return
    this.#reader = new SseReader(this.#maxBytes, {
      event: ({ type: name, data }) => {
        if (name === 'message' && !this.#dropped) this.#taker.message(data)
      },
      retry: (ms) => this.#taker.retry(ms),
      id: (id) => this.#taker.position(id),
    })
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#dropped) return
    if (this.#reader !== undefined) {
      try {
        this.#reader.push(chunk)
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        this.#giveUp(error)
      }
      return
    }
    this.#bytes += chunk.length
    if (this.#bytes > this.#maxBytes) this.#giveUp(new RangeError(`The answer is larger than ${this.#maxBytes} bytes`))
    else this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    if (this.#dropped) return
    this.#dropped = true
    if (this.#reader !== undefined) {
      this.#taker.end(this.#status, undefined)
      return
    }
    const [first] = this.#chunks
    const body = first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks)
    if (!isUtf8(body)) {
      this.#taker.failed(new TypeError('The answer is not UTF-8'))
      return
    }
    this.#taker.end(this.#status, body.toString('utf8'))
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#dropped) return
    this.#dropped = true
    this.#taker.failed(error)
  }

  #giveUp(error: Error): void {
    this.abort()
    this.#taker.failed(error)
  }
}

const EVENT_STREAM = /^text\/event-stream\b/i
