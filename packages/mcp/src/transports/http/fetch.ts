import type { Endpoint } from '../endpoint.ts'
import { createBroughtReception, type FetchOptions } from './brought.ts'
import { toExchange } from './fetch-exchange.ts'
import type { DoorFigures } from './reception.ts'

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
  const reception = createBroughtReception(endpoint, options)
  const handle = (request: Request): Promise<Response> => {
    if (request.signal.aborted) return Promise.reject(request.signal.reason)
    const { request: received, response, answered } = toExchange(request)
    reception.receive(received, response)
    return answered
  }
  return Object.assign(handle, {
    figures: reception.figures,
    close: ({ drainMs = 10_000 } = {}) => reception.end(drainMs),
  } satisfies Pick<FetchHandler, 'figures' | 'close'>)
}
