import type { Readable, Writable } from 'node:stream'
import { CALLER_LIMITS } from '../../jsonrpc/limits.ts'
import { ANONYMOUS, type Principal } from '../../protocol/call.ts'
import type { Channel, ChannelEvents } from '../channel.ts'
import { type ServedChannel, serveChannel } from '../duplex/serve.ts'
import type { Endpoint } from '../endpoint.ts'
import { LineSplitter } from './lines.ts'

export interface StdioOptions {
  /** Default: of this process. */
  readonly stdin?: Readable
  /**
   * Default: of this process, and then ours alone: whatever else writes to it while it is served, a stray
   * `console.log` included, goes to stderr.
   */
  readonly stdout?: Writable
  /** How long calls at work may take to finish once stdin has ended. Default 5 s. */
  readonly drainMs?: number
  /** Who is at the other end. Default: ANONYMOUS. */
  readonly principal?: Principal
}

/**
 * Serves an endpoint on stdin and stdout, one message a line. `closed` resolves when the client has closed stdin
 * and its last answers are written: the process may exit then.
 */
export function serveStdio(endpoint: Endpoint, options: StdioOptions = {}): ServedChannel {
  const { stdin = process.stdin, drainMs = 5_000, principal = ANONYMOUS } = options
  const output = options.stdout === undefined ? claimStdout() : { stream: options.stdout, write: undefined }
  const channel = new StdioChannel(
    stdin,
    output.stream,
    output.write,
    endpoint.limits?.maxBytes ?? CALLER_LIMITS.maxBytes,
  )
  const served = serveChannel(endpoint, channel, { principal })
  channel.onEnd = () => void served.close({ drainMs })
  if ('release' in output) served.closed.then(output.release)
  return served
}

/** stdout for protocol only. */
function claimStdout(): { readonly stream: Writable; readonly write: Writable['write']; readonly release: () => void } {
  const stream = process.stdout
  const { write } = stream
  stream.write = process.stderr.write.bind(process.stderr)
  return {
    stream,
    write: write.bind(stream),
    release: () => {
      stream.write = write
    },
  }
}

class StdioChannel implements Channel {
  /** The client closed stdin and still reads: what is at work may be answered. */
  onEnd: () => void = () => {}
  readonly #stdin: Readable
  readonly #stdout: Writable
  readonly #write: Writable['write']
  readonly #maxBytes: number
  #closed: ((error: Error | undefined) => void) | undefined
  /** Nobody reads what we write. */
  #isFull = false
  #isPaused = false

  constructor(stdin: Readable, stdout: Writable, write: Writable['write'] | undefined, maxBytes: number) {
    this.#stdin = stdin
    this.#stdout = stdout
    this.#write = write ?? stdout.write.bind(stdout)
    this.#maxBytes = maxBytes
  }

  start(events: ChannelEvents): void {
    this.#closed = events.closed
    const splitter = new LineSplitter(this.#maxBytes, {
      line: (text) => events.message(text),
      fault: (reason, sample) => events.fault(reason, sample),
    })
    this.#stdin.on('data', (chunk: Buffer) => splitter.push(chunk))
    this.#stdin.once('end', () => {
      splitter.end()
      this.onEnd()
    })
    this.#stdin.once('error', (error) => this.#finish(error))
    this.#stdout.once('error', (error) => this.#finish(error))
    this.#stdout.once('close', () => this.#finish(undefined))
  }

  /** While the client does not read we do not read either: what it sends would only make more to write. */
  send(text: string): boolean {
    if (this.#closed === undefined || this.#stdout.destroyed) return true
    this.#write(`${text}\n`)
    if (this.#stdout.writableLength <= HIGH_WATER_BYTES) return true
    if (!this.#isFull) {
      this.#isFull = true
      this.#stdin.pause()
      this.#stdout.once('drain', () => {
        this.#isFull = false
        this.#readOn()
      })
    }
    return false
  }

  pause(): void {
    this.#isPaused = true
    this.#stdin.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#readOn()
  }

  #readOn(): void {
    if (!this.#isFull && !this.#isPaused) this.#stdin.resume()
  }

  drained(): Promise<void> {
    if (this.#stdout.destroyed || !this.#stdout.writableNeedDrain) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        this.#stdout.off('drain', done)
        this.#stdout.off('close', done)
        resolve()
      }
      this.#stdout.on('drain', done)
      this.#stdout.on('close', done)
    })
  }

  /** stdin is let go, so that it keeps no process alive; stdout is the process's own and stays open. */
  async close(): Promise<void> {
    this.#stdin.destroy()
    this.#finish(undefined)
  }

  #finish(error: Error | undefined): void {
    const closed = this.#closed
    this.#closed = undefined
    closed?.(error)
  }
}

/** Beyond this, what waits to be written counts as unread. */
const HIGH_WATER_BYTES = 1024 * 1024
