import type { HttpHeaders, HttpResponse } from './exchange.ts'

/**
 * One message as a server-sent event. JSON text never holds a line break, so one data line carries it.
 * @param id where a client that lost the rest may go on
 */
export function toEvent(text: string, id?: string): string {
  return id === undefined ? `event: message\ndata: ${text}\n\n` : `id: ${id}\nevent: message\ndata: ${text}\n\n`
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

  /** More waits than the reader has taken lately: who can wait should, until `drained`. */
  get isFull(): boolean {
    return this.#response.writableNeedDrain
  }

  send(text: string, id?: string): void {
    this.#write(toEvent(text, id))
  }

  /** Says where the stream is, and how long to stay away should it be lost: nobody can say so any more by then. */
  prime(id: string, retryMs: number): void {
    this.#write(`id: ${id}\nretry: ${retryMs}\ndata:\n\n`)
  }

  /** Asks the reader to stay away for so long, should it have to come back. */
  retry(ms: number): void {
    this.#write(`retry: ${ms}\n\n`)
  }

  /** A comment, so that nobody between us takes the silence for an end. It has no id. */
  beat(): void {
    this.#write(': \n\n')
  }

  end(): void {
    if (this.isOpen) this.#response.end()
  }

  /** Hangs up. */
  drop(): void {
    this.#response.destroy()
  }

  onClose(listener: () => void): void {
    this.#response.on('close', listener)
  }

  /** Resolves when the reader has taken what waits, or is gone. */
  drained(): Promise<void> {
    const response = this.#response
    if (!response.writableNeedDrain) return Promise.resolve()
    return new Promise((resolve) => {
      const settle = () => {
        response.off('drain', settle)
        response.off('close', settle)
        resolve()
      }
      response.on('drain', settle)
      response.on('close', settle)
    })
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
