import type { Dispatcher, Pool } from 'undici'
import type { Clock } from '../../peer/clock.ts'
import type { Pending, Waiting } from '../../peer/pending.ts'
import type { Authorization } from './authorization.ts'
import { AuthorizedExchange } from './client-authorized.ts'
import { Exchange, type ExchangeTaker, type Underway } from './client-exchange.ts'

/** Who sends. */
export interface Sender {
  readonly authorization?: Authorization | undefined
  readonly clock: Clock
  /** The server as we were told of it. */
  readonly url: URL
}

export type HttpRequest = Dispatcher.DispatchOptions & { readonly path: string; readonly headers: readonly string[] }

/** Told when a request begins to wait for credentials, and when it does so no longer. */
export type WaitsForCredentials = (waits: boolean) => void

/**
 * Sends a request, with credentials where there is an authorization to give them.
 * @param where whom we talk to, for sentences
 * @param waits undefined for a request that nobody waits for, and that is not worth asking a person for
 */
export function sendRequest(
  sender: Sender,
  where: string,
  pool: Pool,
  request: HttpRequest,
  taker: ExchangeTaker,
  maxBytes: number,
  waits?: WaitsForCredentials,
): Underway {
  const { authorization, clock, url } = sender
  if (authorization === undefined) return dispatch(pool, request, taker, maxBytes)
  const { path, method } = request
  return new AuthorizedExchange(taker, {
    authorization,
    request: { method, url: `${url.origin}${path}`, server: url.href, inBackground: waits === undefined },
    clock,
    where,
    send: (inner, credentials) =>
      dispatch(pool, { ...request, headers: [...request.headers, ...credentials] }, inner, maxBytes),
    ...(waits === undefined ? {} : { waits }),
  })
}

/** Keeps a request of ours from running out of time while somebody signs in for it, which takes as long as it takes. */
export function patienceOf(waiting: Waiting, pending: Pending): WaitsForCredentials {
  return (waits) => {
    waiting.questions += waits ? 1 : -1
    if (!waits) pending.touch(waiting)
  }
}

function dispatch(pool: Pool, request: HttpRequest, taker: ExchangeTaker, maxBytes: number): Underway {
  const exchange = new Exchange(taker, maxBytes)
  pool.dispatch(request, exchange)
  return exchange
}
