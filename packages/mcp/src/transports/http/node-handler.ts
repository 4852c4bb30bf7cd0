import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Endpoint } from '../endpoint.ts'
import { createBroughtReception, type FetchOptions } from './brought.ts'
import type { HttpRequest } from './exchange.ts'
import { toReplayed } from './read-request.ts'
import type { DoorFigures } from './reception.ts'
import { isGone } from './reply.ts'

/** Answers requests of `node:http`, as Express, Connect and Fastify (`request.raw`) have them too. */
export interface NodeHandler {
  (request: IncomingMessage, response: ServerResponse): void
  readonly figures: () => DoorFigures
  /**
   * Refuses what comes, lets requests at work finish and ends streams.
   * @param options.drainMs how long work may take to finish. Default 10 s.
   */
  close(options?: { readonly drainMs?: number }): Promise<void>
}

/**
 * Serves an endpoint to whoever has a server of `node:http`: every revision, with the guards and limits of
 * `openHttpDoor`, but for those of the socket: timeouts and sizes of headers are for whoever listens. A body that a
 * parser has read before (`express.json()`) is taken from `request.body`; what is parsed already hides keys that were
 * named twice and numbers that were rounded.
 */
export function createNodeHandler(endpoint: Endpoint, options: FetchOptions = {}): NodeHandler {
  const reception = createBroughtReception(endpoint, options)
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    // Whoever had the request before us may have taken their time.
    if (isGone(response)) return
    let received: HttpRequest = request
    try {
      if (request.readableEnded) received = toReplayed(request)
    } catch (error) {
      reception.fail(response, error)
      return
    }
    reception.receive(received, response)
  }
  return Object.assign(handle, {
    figures: reception.figures,
    close: ({ drainMs = 10_000 } = {}) => reception.end(drainMs),
  } satisfies Pick<NodeHandler, 'figures' | 'close'>)
}
