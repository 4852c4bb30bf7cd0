import type { Channel, ChannelEvents } from '../channel.ts'
import { LineSplitter } from '../stdio/lines.ts'

export interface MemoryPipeOptions {
  /** Longest message in bytes of UTF-8. Default 64 MiB. */
  readonly maxLineBytes?: number
  /** Bytes that may wait for the other side before a writer is told to hold back. Default 1 MiB. */
  readonly highWaterBytes?: number
}

/**
 * A pipe between two peers in one process. It carries bytes in lines as stdio does, so that what works here works
 * there; what is sent arrives in order and never before `send` has returned.
 */
export function createMemoryPipe(options: MemoryPipeOptions = {}): { client: Channel; server: Channel } {
  const client = new MemoryEnd(options)
  const server = new MemoryEnd(options)
  client.join(server)
  server.join(client)
  return { client, server }
}

class MemoryEnd implements Channel {
  readonly #maxLineBytes: number
  readonly #highWaterBytes: number
  #other: MemoryEnd | undefined
  #events: ChannelEvents | undefined
  #splitter: LineSplitter | undefined
  /** What the other side wrote and we have not read yet. */
  #inbox: Buffer[] = []
  #inboxBytes = 0
  #scheduled = false
  #isPaused = false
  #ended = false
  #closed = false
  #drained: (() => void)[] = []

  constructor(options: MemoryPipeOptions) {
    this.#maxLineBytes = options.maxLineBytes ?? 64 * 1024 * 1024
    this.#highWaterBytes = options.highWaterBytes ?? 1024 * 1024
  }

  join(other: MemoryEnd): void {
    this.#other = other
  }

  start(events: ChannelEvents): void {
    this.#events = events
    this.#splitter = new LineSplitter(this.#maxLineBytes, {
      line: events.message,
      whole: events.whole,
      fault: events.fault,
    })
    this.#schedule()
  }

  send(text: string): boolean {
    return this.#closed || this.#other === undefined || this.#other.#accept(Buffer.from(`${text}\n`))
  }

  drained(): Promise<void> {
    const other = this.#other
    if (other === undefined || other.#inboxBytes < this.#highWaterBytes || other.#closed) return Promise.resolve()
    return new Promise((resolve) => {
      other.#drained.push(resolve)
    })
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#schedule()
  }

  close(): Promise<void> {
    const other = this.#other
    if (other !== undefined) other.#end()
    this.#isPaused = false
    this.#end()
    return Promise.resolve()
  }

  #accept(bytes: Buffer): boolean {
    if (this.#ended || this.#closed) return true
    this.#inbox.push(bytes)
    this.#inboxBytes += bytes.length
    this.#schedule()
    return this.#inboxBytes < this.#highWaterBytes
  }

  /** What was written before still arrives; then the pipe is gone. */
  #end(): void {
    this.#ended = true
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#isPaused || this.#events === undefined) return
    this.#scheduled = true
    queueMicrotask(() => this.#deliver())
  }

  #putBack(unread: readonly Buffer[]): void {
    this.#inbox = [...unread, ...this.#inbox]
    this.#inboxBytes = this.#inbox.reduce((sum, { length }) => sum + length, 0)
  }

  #deliver(): void {
    this.#scheduled = false
    if (this.#isPaused) return
    const inbox = this.#inbox
    this.#inbox = []
    this.#inboxBytes = 0
    for (const resolve of this.#drained.splice(0)) resolve()
    for (const [at, bytes] of inbox.entries()) {
      if (this.#isPaused) {
        this.#putBack(inbox.slice(at))
        return
      }
      this.#splitter?.push(bytes)
    }
    if (!this.#ended || this.#closed || this.#inbox.length > 0) return
    this.#closed = true
    this.#events?.closed(undefined)
  }
}
