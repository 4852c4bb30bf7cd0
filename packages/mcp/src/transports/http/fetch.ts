import type { Endpoint } from '../endpoint.ts'
import { toExchange } from './fetch-exchange.ts'
import { type DoorFigures, Reception, type ReceptionOptions } from './reception.ts'

export interface FetchOptions extends Omit<ReceptionOptions, 'endpoint' | 'sse' | 'plain'> {
  /** The only path to serve. Default: every path, since whoever calls the handler has routed already. */
  readonly path?: string
  /** Serves HTTP+SSE, the transport of the oldest revision, at this path. Default: it is not served. */
  readonly sse?: string
  /**
   * What a `Host` header may give: `name` with any port, `name:port` with that one. Default: the names of this machine,
   * `localhost`, `127.0.0.1` and `[::1]`; any where callers are asked who they are (`authenticate`).
   */
  readonly allowedHosts?: readonly string[]
  /** Origins that web pages may call from. Default none, not even our own. */
  readonly allowedOrigins?: readonly string[]
}

/** Answers web-standard requests, as Deno, Bun, workers and web frameworks have them. */
export interface FetchHandler {
  (request: Request): Promise<Response>
  readonly figures: () => DoorFigures
  /**
   * Refuses what comes, lets requests at work finish and ends streams.
   * @param options.drainMs how long work may take to finish. Default 10 s.
   */
  close(options?: { readonly drainMs?: number }): Promise<void>
}

/**
 * Serves an endpoint to whoever brings requests: every revision, with the guards and limits of `openHttpDoor`. A
 * request whose signal aborts, or whose stream is cancelled, is taken back where its revision has it so.
 *
 * Sessions of handshake revisions live in this process. Where requests of one client may reach different ones, offer
 * revisions without sessions only (`revisions` of the endpoint). How slowly a request may come is for the platform.
 */
export function createFetchHandler(endpoint: Endpoint, options: FetchOptions = {}): FetchHandler {
  const { path, sse, allowedOrigins = [], ...rest } = options
  const asks = options.authenticate !== undefined || endpoint.authenticate !== undefined
  const reception = new Reception(
    {
      ...rest,
      endpoint: (asked) => (asked !== sse && (path === undefined || asked === path) ? endpoint : undefined),
      sse: (asked) => (asked === sse ? endpoint : undefined),
    },
    { allowedHosts: options.allowedHosts ?? (asks ? undefined : LOOPBACK), allowedOrigins },
  )
  const handle = (request: Request): Promise<Response> => {
    if (request.signal.aborted) return Promise.reject(request.signal.reason)
    const { request: received, response, answered } = toExchange(request)
    reception.receive(received, response)
    return answered
  }
  return Object.assign(handle, {
    figures: reception.figures,
    async close({ drainMs = 10_000 } = {}) {
      await reception.drain(drainMs)
      reception.close()
    },
  } satisfies Pick<FetchHandler, 'figures' | 'close'>)
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']
