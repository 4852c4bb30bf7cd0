import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { isIPv6 } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Bindings } from '../admin/app.ts'
import type { Guards } from '../admin/guards.ts'
import type { Refusal } from '../admin/problem.ts'

export interface AdminListenerOptions {
  readonly host: string
  readonly port: number
}

/** What is served, once the address is known. */
export interface AdminServed {
  readonly guards: Guards
  readonly fetch: (request: Request, bindings: Bindings) => Response | Promise<Response>
  /** Of a request that is let no further. */
  readonly refuse: (guard: NonNullable<ReturnType<Guards['refusal']>>) => Refusal
}

export interface AdminListener {
  readonly url: string
  close(): Promise<void>
}

/**
 * Listens for the admin API.
 * @throws the error of the system where the address cannot be had
 */
export async function listenForAdmin(
  { host, port }: AdminListenerOptions,
  toServed: (url: string) => AdminServed,
): Promise<AdminListener> {
  const server = createServer({
    maxHeaderSize: 32 * 1024, // tokens of issuers are long
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    connectionsCheckingInterval: 5_000,
  })
  server.maxConnections = MAX_CONNECTIONS
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: host.replace(/^\[|\]$/g, ''), port }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const address = server.address()
  const at = typeof address === 'object' && address !== null ? address : { address: host, port }
  const url = `http://${isIPv6(at.address) ? `[${at.address}]` : at.address}:${at.port}`
  const { guards, fetch, refuse } = toServed(url)
  const answer = getRequestListener(
    (request, { incoming }) => fetch(request, { from: incoming.socket.remoteAddress ?? '' }),
    { overrideGlobalObjects: false, hostname: 'admin.invalid' },
  )
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const refused = guards.refusal(request)
    if (refused === undefined) void answer(request, response)
    else send(response, refuse(refused))
  })
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Nothing more is read of whoever should not be here. */
function send(response: ServerResponse, { status, headers, body }: Refusal): void {
  response.writeHead(status, { ...headers, connection: 'close' })
  response.end(body)
}

const MAX_CONNECTIONS = 256
