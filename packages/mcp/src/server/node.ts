import { checkOptions } from '../protocol/option-names.ts'
import type { FetchOptions } from '../transports/http/brought.ts'
import { FETCH_OPTIONS } from '../transports/http/brought-names.ts'
import type { NodeHandler } from '../transports/http/node-handler.ts'
import type { Server } from './server.ts'

/** {@link NodeHandler} of a server, which it closes too. */
export type ServerNodeHandler = Omit<NodeHandler, 'figures'> &
  ((...exchange: Parameters<NodeHandler>) => ReturnType<NodeHandler>)

/**
 * The server as a function from a request and a response of `node:http`, for Express and whatever else has those. See
 * `createNodeHandler` for what it guards and what it cannot.
 * @example
 * app.all('/mcp', toNodeHandler(server)) // Express
 * createServer(toNodeHandler(server, { path: '/mcp' })).listen(3000, '127.0.0.1') // node:http
 */
export function toNodeHandler(server: Server, options: FetchOptions = {}): ServerNodeHandler {
  checkOptions('make a handler', options, FETCH_OPTIONS)
  // Not before there is a request: a server goes through one door and need not wait for the code of the others.
  let opening: Promise<NodeHandler> | undefined
  let handler: NodeHandler | undefined
  const open = async (): Promise<NodeHandler> => {
    const { createNodeHandler } = await import('../transports/http/node-handler.ts')
    const { log } = server.endpoint
    handler = createNodeHandler(server.endpoint, { ...(log === undefined ? {} : { log }), ...options })
    return handler
  }
  const handle: ServerNodeHandler = Object.assign(
    (...[request, response]: Parameters<NodeHandler>): void => {
      if (handler !== undefined) {
        handler(request, response)
        return
      }
      opening ??= open()
      opening.then((ready) => ready(request, response)).catch(() => response.destroy())
    },
    {
      async close(closing?: { readonly drainMs?: number }) {
        server.close()
        opening ??= open()
        await (await opening).close(closing)
      },
    },
  )
  return handle
}
