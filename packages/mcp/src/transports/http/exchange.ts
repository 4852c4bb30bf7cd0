import type { IncomingHttpHeaders } from 'node:http'

/**
 * What we need of a request that is being received. Node's `IncomingMessage` is one as it stands, and so the way of
 * most calls has no adapter on it; other platforms bring a small one (`fetch.ts`).
 */
export interface HttpRequest {
  readonly method?: string | undefined
  /** Path and query. */
  readonly url?: string | undefined
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders
  /** Name, value, name, value, as they came: what was sent twice is there twice. */
  readonly rawHeaders: readonly string[]
  /** All of it has been received. */
  readonly complete: boolean
  readonly socket: HttpSocket
  on(event: 'data', listener: (chunk: Buffer) => void): unknown
  on(event: 'end' | 'close', listener: () => void): unknown
  once(event: 'end', listener: () => void): unknown
  /** Reads on and throws away. */
  resume(): unknown
  /** Reads no more for now: what is sent waits on the other side. */
  pause(): unknown
}

/** What we need of a response that is being written, as of a {@link HttpRequest}. */
export interface HttpResponse {
  readonly req: HttpRequest
  /** Null while the response stands behind another one on the same connection. */
  readonly socket: HttpSocket | null
  readonly headersSent: boolean
  readonly writableEnded: boolean
  /** All of it has left. */
  readonly writableFinished: boolean
  readonly destroyed: boolean
  /** Bytes that wait for the reader. */
  readonly writableLength: number
  /** More waits than the platform likes to hold; `drain` says when that is over. */
  readonly writableNeedDrain: boolean
  /** Whether the connection serves another request afterwards. */
  shouldKeepAlive: boolean
  setHeader(name: string, value: string): unknown
  writeHead(status: number, headers?: HttpHeaders): Pick<HttpResponse, 'end'>
  flushHeaders(): void
  write(body: string | Uint8Array): boolean
  end(body?: string | Uint8Array): unknown
  /** Breaks the connection. */
  destroy(): unknown
  on(event: 'close' | 'drain', listener: () => void): unknown
  once(event: 'close' | 'drain', listener: () => void): unknown
  off(event: 'close' | 'drain', listener: () => void): unknown
}

/** The connection underneath, as far as we meddle with it. */
export interface HttpSocket {
  /** It is gone, and nobody hears of that any more. */
  readonly closed: boolean
  uncork(): void
  destroy(): unknown
  once(event: 'close', listener: () => void): unknown
}

export type HttpHeaders = Readonly<Record<string, string | number>>
