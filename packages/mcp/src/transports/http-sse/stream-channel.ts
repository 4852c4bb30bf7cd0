import type { Channel, ChannelEvents } from '../channel.ts'
import type { HttpResponse } from '../http/exchange.ts'
import { whenGone } from '../http/reply.ts'
import { STREAM_HEADERS, toEvent } from '../http/sse.ts'

/**
 * The way out of one session: an event stream for as long as it lasts. Its way in is a POST for each message, which
 * others read and take to the conversation.
 */
export class StreamChannel implements Channel {
  readonly #response: HttpResponse
  readonly #highWaterBytes: number
  #waitedBytes = 0
  #idleBeats = 0

  /** @param target where the client is to POST, told by the first event */
  constructor(response: HttpResponse, target: string, maxStreamBytes: number) {
    this.#response = response
    this.#highWaterBytes = Math.min(HIGH_WATER_BYTES, maxStreamBytes)
    response.writeHead(200, STREAM_HEADERS)
    response.write(`event: endpoint\ndata: ${target}\n\n`)
  }

  start({ closed }: ChannelEvents): void {
    whenGone(this.#response, () => closed(undefined))
  }

  send(text: string): boolean {
    if (!this.#isOpen) return true
    this.#response.write(toEvent(text))
    return !this.#isFull
  }

  drained(): Promise<void> {
    const response = this.#response
    if (!this.#isOpen || !response.writableNeedDrain) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        response.off('drain', done)
        response.off('close', done)
        resolve()
      }
      response.on('drain', done)
      response.on('close', done)
    })
  }

  async close(): Promise<void> {
    if (this.#isOpen) this.#response.end()
  }

  /** Breaks the connection, whatever is still on its way. */
  cut(): void {
    this.#response.destroy()
  }

  /**
   * Keeps a silent stream alive. Says whether the reader is to be given up: nothing has been read of a stream that
   * is full since the beat before the last.
   */
  beat(): 'fine' | 'stuck' {
    const waiting = this.#response.writableLength
    this.#idleBeats = this.#isFull && waiting >= this.#waitedBytes ? this.#idleBeats + 1 : 0
    this.#waitedBytes = waiting
    if (this.#idleBeats > 1) return 'stuck'
    if (this.#isOpen && !this.#isFull) this.#response.write(': \n\n')
    return 'fine'
  }

  get #isOpen(): boolean {
    return !this.#response.writableEnded && !this.#response.destroyed
  }

  get #isFull(): boolean {
    return this.#response.writableLength > this.#highWaterBytes
  }
}

/** Beyond this, what waits to be read counts as unread: no call begins until there is room. */
const HIGH_WATER_BYTES = 1024 * 1024
