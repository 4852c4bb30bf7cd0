import { checkOptions } from '../protocol/option-names.ts'
import type { FetchOptions } from '../transports/http/brought.ts'
import { FETCH_OPTIONS } from '../transports/http/brought-names.ts'
import type { FetchHandler } from '../transports/http/fetch.ts'
import type { Server } from './server.ts'

/** {@link FetchHandler} of a server, which it closes too. */
export type ServerFetchHandler = Omit<FetchHandler, 'figures'> & ((request: Request) => Promise<Response>)

/**
 * The server as a function from a web-standard request to its response, for platforms and frameworks that bring
 * their own door: Deno, Bun, workers, Next, Hono. See `createFetchHandler` for what it guards and what it cannot.
 * @example
 * Deno.serve({ hostname: '127.0.0.1', port: 3000 }, toFetchHandler(server, { path: '/mcp' }))
 */
export function toFetchHandler(server: Server, options: FetchOptions = {}): ServerFetchHandler {
  checkOptions('make a handler', options, FETCH_OPTIONS)
  // Not before there is a request: a server goes through one door and need not wait for the code of the others.
  let opening: Promise<FetchHandler> | undefined
  const open = async (): Promise<FetchHandler> => {
    const { createFetchHandler } = await import('../transports/http/fetch.ts')
    const { log } = server.endpoint
    return createFetchHandler(server.endpoint, { ...(log === undefined ? {} : { log }), ...options })
  }
  const handle = async (request: Request): Promise<Response> => {
    opening ??= open()
    return (await opening)(request)
  }
  return Object.assign(handle, {
    async close(closing?: { readonly drainMs?: number }) {
      server.close()
      opening ??= open()
      await (await opening).close(closing)
    },
  })
}
