import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http'
import { connect, type Socket } from 'node:net'

/** A whole HTTP answer. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  /** The messages in it: the events of a stream, or the JSON body. */
  readonly messages: readonly Message[]
}

/** A JSON-RPC message as it came; tests look at whatever they expect. */
// biome-ignore lint/suspicious/noExplicitAny: a wire message has no type until a test says what it should be
export type Message = any

export interface HttpRequest {
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string
  /** Hangs up, whether or not anything was answered. */
  readonly signal?: AbortSignal
}

/** Sends one request with exactly these headers (plus Host) on a connection of its own and reads all of the answer. */
export async function sendHttp(url: string, options: HttpRequest = {}): Promise<HttpAnswer> {
  const stream = await openHttp(url, options)
  const text = await stream.rest()
  return { status: stream.status, headers: stream.headers, text, messages: toMessages(stream.headers, text) }
}

/** An answer that is read event by event. */
export interface HttpStream {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** The next message of the stream, or `{ endpoint }`; rejects when the stream ends first. */
  next(): Promise<Message>
  /** Of the events read so far, primers included: where the stream may be taken up again. */
  readonly lastEventId: string | undefined
  /** How long the events read so far ask to stay away. */
  readonly retryMs: number | undefined
  /** Comments that came between the events read so far. */
  readonly comments: number
  /** What is left of the body, to its end. Rejects when the connection breaks. */
  rest(): Promise<string>
  /** Stops reading, so that the other side has to hold what it writes. */
  pause(): void
  resume(): void
  /** Resolves when the connection is gone, in order or not. */
  readonly closed: Promise<void>
  /** Hangs up. */
  destroy(): void
}

/** As {@link sendHttp}, resolving with the headers. */
export function openHttp(
  url: string,
  { method = 'POST', headers = {}, body, signal }: HttpRequest = {},
): Promise<HttpStream> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false, ...(signal === undefined ? {} : { signal }) })
    sent.on('error', reject)
    sent.on('response', (response) => resolve(toStream(response)))
    sent.end(body)
  })
}

/** A socket without manners: sends what it is told and gives back what came. */
export interface RawPeer {
  write(bytes: string | Buffer): void
  /** Everything received, once the other side has closed. */
  readonly ended: Promise<string>
  /** Resolves as soon as what came contains `text`. */
  until(text: string): Promise<string>
  readonly socket: Socket
  destroy(): void
}

export function openRaw(port: number): Promise<RawPeer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let received = ''
    const waiting = new Set<{ readonly text: string; readonly resolve: (all: string) => void }>()
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      received += chunk
      for (const waiter of [...waiting]) {
        if (!received.includes(waiter.text)) continue
        waiting.delete(waiter)
        waiter.resolve(received)
      }
    })
    socket.once('error', reject)
    // A peer that is cut off may see a reset after the answer: what came counts.
    const ended = new Promise<string>((done) => socket.once('close', () => done(received)))
    socket.once('connect', () => {
      socket.on('error', () => {})
      resolve({
        write: (bytes) => void socket.write(bytes),
        ended,
        until: (text) =>
          received.includes(text)
            ? Promise.resolve(received)
            : new Promise((done) => void waiting.add({ text, resolve: done })),
        socket,
        destroy: () => socket.destroy(),
      })
    })
  })
}

/** A request as the bytes of a POST, for {@link RawPeer}. */
export function toRawHttp(path: string, { headers = {}, body = '' }: HttpRequest): string {
  const lines = Object.entries({ host: 'localhost', ...headers, 'content-length': Buffer.byteLength(body) })
  return `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${String(value)}\r\n`).join('')}\r\n${body}`
}

function toStream(response: IncomingMessage): HttpStream {
  let received = ''
  let comments = 0
  let lastEventId: string | undefined
  let retryMs: number | undefined
  let isOver = false
  let broken: Error | undefined
  let wake = () => {}
  response.setEncoding('utf8')
  response.on('data', (chunk: string) => {
    received += chunk
    wake()
  })
  const closed = new Promise<void>((resolve) => {
    response.once('error', (error) => {
      broken = error
    })
    response.once('close', () => {
      isOver = true
      wake()
      resolve()
    })
  })
  const more = () =>
    new Promise<void>((resolve) => {
      wake = resolve
    })
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    get lastEventId() {
      return lastEventId
    },
    get retryMs() {
      return retryMs
    },
    get comments() {
      return comments
    },
    async next() {
      for (;;) {
        const end = received.indexOf('\n\n')
        if (end === -1) {
          if (isOver) throw broken ?? new Error('The stream ended')
          await more()
          continue
        }
        const event = received.slice(0, end)
        received = received.slice(end + 2)
        lastEventId = toField(event, 'id') ?? lastEventId
        const retry = toField(event, 'retry')
        if (retry !== undefined) retryMs = Number(retry)
        const message = toMessage(event)
        if (message !== undefined) return message
        if (event.startsWith(':')) comments++
      }
    },
    async rest() {
      while (!isOver) await more()
      if (broken !== undefined) throw broken
      return received
    },
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    closed,
    destroy: () => void response.destroy(),
  }
}

function toMessages(headers: IncomingMessage['headers'], text: string): readonly Message[] {
  const type = headers['content-type'] ?? ''
  if (text === '') return []
  if (type.startsWith('application/json')) return [JSON.parse(text)]
  if (!type.startsWith('text/event-stream')) return []
  return text
    .split('\n\n')
    .map(toMessage)
    .filter((message) => message !== undefined)
}

function toMessage(event: string): Message | undefined {
  const lines = event.split('\n').filter((line) => line.startsWith('data:'))
  const text = lines.map((line) => line.slice(5).trimStart()).join('\n')
  // No data is a comment, or a field by itself; empty data primes a stream and is no message.
  if (text === '') return undefined
  return event.startsWith('event: endpoint\n') ? { endpoint: text } : JSON.parse(text)
}

function toField(event: string, name: string): string | undefined {
  const line = event.split('\n').find((candidate) => candidate.startsWith(`${name}:`))
  return line?.slice(name.length + 1).trimStart()
}
