import type { Endpoint } from '../endpoint.ts'
import { Reception, type ReceptionOptions } from './reception.ts'

/** For requests that somebody else receives and brings: `createFetchHandler`, `createNodeHandler`. */
export interface FetchOptions extends Omit<ReceptionOptions, 'endpoint' | 'sse' | 'plain' | 'beside'> {
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

/** What takes the requests that others bring. */
export function createBroughtReception(endpoint: Endpoint, options: FetchOptions): Reception {
  const { path, sse, allowedOrigins = [], ...rest } = options
  const asks = options.authenticate !== undefined || endpoint.authenticate !== undefined
  return new Reception(
    {
      ...rest,
      endpoint: (asked) => (asked !== sse && (path === undefined || asked === path) ? endpoint : undefined),
      sse: (asked) => (asked === sse ? endpoint : undefined),
    },
    { allowedHosts: options.allowedHosts ?? (asks ? undefined : LOOPBACK), allowedOrigins },
  )
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']
