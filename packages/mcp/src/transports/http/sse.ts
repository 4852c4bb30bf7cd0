import type { HttpHeaders, HttpResponse } from './exchange.ts'

/** One message as a server-sent event. JSON text never holds a line break, so one data line carries it. */
export function toEvent(text: string): string {
  return `event: message\ndata: ${text}\n\n`
}

/**
 * A response that has become an event stream. A reader who does not read is cut off once `maxBytes` are waiting:
 * what we hold for one stream is that and one message.
 */
export class EventStream {
  readonly #response: HttpResponse
  readonly #maxBytes: number
  readonly #cut: () => void

  /** @param cut told when the reader was cut off */
  constructor(response: HttpResponse, maxBytes: number, cut: () => void) {
    this.#response = response
    this.#maxBytes = maxBytes
    this.#cut = cut
    response.writeHead(200, STREAM_HEADERS)
    response.flushHeaders()
  }

  get isOpen(): boolean {
    return !this.#response.writableEnded && !this.#response.destroyed
  }

  send(text: string): void {
    this.#write(toEvent(text))
  }

  /** A comment, so that nobody between us takes the silence for an end. */
  beat(): void {
    this.#write(': \n\n')
  }

  end(): void {
    if (this.isOpen) this.#response.end()
  }

  #write(text: string): void {
    if (!this.isOpen) return
    if (this.#response.writableLength > this.#maxBytes) {
      this.#response.destroy()
      this.#cut()
      return
    }
    this.#response.write(text)
  }
}

export const STREAM_HEADERS: HttpHeaders = Object.freeze({
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
})
