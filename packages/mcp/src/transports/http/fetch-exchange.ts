import type { IncomingHttpHeaders } from 'node:http'
import type { HttpHeaders, HttpRequest, HttpResponse, HttpSocket } from './exchange.ts'

/** A web-standard request and the response to it, as those who receive requests want them. */
export function toExchange(request: Request): {
  readonly request: HttpRequest
  readonly response: HttpResponse
  readonly answered: Promise<Response>
} {
  const received = new FetchRequest(request)
  const response = new FetchResponse(received)
  return { request: received, response, answered: response.answered }
}

type Event = 'data' | 'end' | 'close' | 'drain'
type Listener = (chunk: Buffer) => void

/** The few events that are listened to. */
class Events {
  readonly #listeners = new Map<Event, Set<Listener>>()

  on(event: Event, listener: Listener): this {
    const listeners = this.#listeners.get(event) ?? new Set()
    this.#listeners.set(event, listeners.add(listener))
    return this
  }

  once(event: Event, listener: Listener): this {
    const heard = (chunk: Buffer) => {
      this.off(event, heard)
      listener(chunk)
    }
    return this.on(event, heard)
  }

  off(event: Event, listener: Listener): this {
    this.#listeners.get(event)?.delete(listener)
    return this
  }

  protected emit(event: Event, chunk: Buffer = EMPTY): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(chunk)
  }
}

class FetchRequest extends Events implements HttpRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly signal: AbortSignal
  socket: HttpSocket = NO_SOCKET
  complete = false
  readonly #body: ReadableStream<Uint8Array> | null
  #isRead = false
  #isLeft = false

  constructor({ method, url, headers, body, signal }: Request) {
    super()
    const { host, pathname, search } = new URL(url)
    const entries = [...headers]
    this.method = method
    this.url = pathname + search
    this.headers = { host, ...Object.fromEntries(entries) }
    this.rawHeaders = entries.flat()
    this.signal = signal
    this.#body = body
  }

  override on(event: Event, listener: Listener): this {
    if (event === 'data') this.resume()
    return super.on(event, listener)
  }

  resume(): void {
    if (this.#isRead) return
    this.#isRead = true
    // In a later turn, as Node does it: who listens for the first chunk listens for the end, too.
    queueMicrotask(() => void this.#read())
  }

  /** What comes meanwhile is read by nobody: only a response that has to close its connection pauses a request. */
  pause(): void {
    this.leave()
  }

  /**
   * Reads no more: the answer is given. The body is not cancelled, which streams made of Node's do not survive; what
   * nobody reads does not come either.
   */
  leave(): void {
    this.#isRead = true
    this.#isLeft = true
  }

  async #read(): Promise<void> {
    try {
      const reader = this.#body?.getReader()
      while (!this.#isLeft) {
        const chunk = await reader?.read()
        // What arrives for somebody who has left meanwhile makes no request any more.
        if (this.#isLeft) break
        if (chunk === undefined || chunk.done) {
          this.complete = true
          this.emit('end')
          break
        }
        this.emit('data', Buffer.from(chunk.value.buffer, chunk.value.byteOffset, chunk.value.byteLength))
      }
    } catch {
      // The client left before the end: there is nobody to answer.
    }
    this.emit('close')
  }
}

/** Stands for the connection, which the platform has. A class, since an object with a getter costs more than a call. */
class FetchSocket implements HttpSocket {
  readonly #response: FetchResponse

  constructor(response: FetchResponse) {
    this.#response = response
  }

  get closed(): boolean {
    return this.#response.destroyed
  }

  uncork(): void {}

  destroy(): unknown {
    return this.#response.destroy()
  }

  once(_event: 'close', listener: () => void): unknown {
    return this.#response.once('close', listener)
  }
}

class FetchResponse extends Events implements HttpResponse {
  readonly req: FetchRequest
  readonly socket: HttpSocket
  readonly answered: Promise<Response>
  headersSent = false
  writableEnded = false
  writableFinished = false
  destroyed = false
  writableNeedDrain = false
  #answer: (response: Response) => void = () => {}
  #status = 200
  readonly #headers = new Headers()
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined

  constructor(request: FetchRequest) {
    super()
    this.req = request
    this.answered = new Promise((resolve) => {
      this.#answer = resolve
    })
    this.socket = new FetchSocket(this)
    request.socket = this.socket
    const { signal } = request
    if (signal.aborted) this.#gone()
    else signal.addEventListener('abort', this.#gone, { once: true })
    request.on('close', () => {
      if (!request.complete) this.#gone()
    })
  }

  /** Connections are the platform's affair. */
  get shouldKeepAlive(): boolean {
    return true
  }

  set shouldKeepAlive(_: boolean) {}

  get writableLength(): number {
    return Math.max(0, -(this.#controller?.desiredSize ?? 0))
  }

  setHeader(name: string, value: string): void {
    this.#headers.set(name, value)
  }

  writeHead(status: number, headers: HttpHeaders = {}): this {
    this.#status = status
    // The platform knows how long a body is, and some insist on saying it themselves.
    for (const [name, value] of Object.entries(headers)) {
      if (name !== 'content-length') this.#headers.set(name, String(value))
    }
    return this
  }

  flushHeaders(): void {
    if (this.headersSent) return
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        // Called when all that was written has been read.
        pull: () => this.#drain(),
        cancel: () => this.#gone(),
      },
      { highWaterMark: 0, size: (chunk) => chunk.byteLength },
    )
    this.#send(stream)
  }

  write(body: string | Uint8Array): boolean {
    this.flushHeaders()
    if (this.writableEnded || this.destroyed) return false
    this.#controller?.enqueue(toBytes(body))
    this.writableNeedDrain = this.writableLength > HIGH_WATER_BYTES
    return !this.writableNeedDrain
  }

  end(body?: string | Uint8Array): void {
    if (this.writableEnded || this.destroyed) return
    if (this.headersSent && body !== undefined) this.#controller?.enqueue(toBytes(body))
    this.writableEnded = true
    if (this.headersSent) this.#controller?.close()
    else this.#send(body ?? null)
    this.writableFinished = true
    this.#over()
  }

  destroy(): void {
    if (this.destroyed || this.writableEnded) return
    this.#controller?.error(new Error('The connection was broken off'))
    this.#gone()
  }

  #send(body: ReadableStream<Uint8Array> | Uint8Array | string | null): void {
    this.headersSent = true
    this.#answer(new Response(body, { status: this.#status, headers: this.#headers }))
  }

  #drain(): void {
    if (!this.writableNeedDrain) return
    this.writableNeedDrain = false
    this.emit('drain')
  }

  /** The client is not there any longer. */
  readonly #gone = (): void => {
    if (this.destroyed || this.writableEnded) return
    this.destroyed = true
    this.#over()
    // Nobody sees it, and yet whoever waits must not wait for ever.
    if (!this.headersSent) this.#answer(new Response(null, { status: CLIENT_GONE }))
  }

  #over(): void {
    this.req.signal.removeEventListener('abort', this.#gone)
    this.req.leave()
    this.emit('close')
  }
}

function toBytes(body: string | Uint8Array): Uint8Array {
  return typeof body === 'string' ? ENCODER.encode(body) : body
}

const EMPTY = Buffer.alloc(0)
const ENCODER = new TextEncoder()
const NO_SOCKET: HttpSocket = { closed: false, uncork() {}, destroy() {}, once() {} }
const HIGH_WATER_BYTES = 16 * 1024
/** As servers write it into their logs. */
const CLIENT_GONE = 499
