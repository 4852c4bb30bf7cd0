import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { JsonObject } from '@crosspoint/mcp'

export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** The fields of a form. */
  readonly form: URLSearchParams
  readonly text: string
}

export interface PlainAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: JsonObject | string
}

export interface PlainServer {
  readonly origin: string
  readonly seen: readonly SeenRequest[]
  stop(): Promise<void>
}

/** A small HTTP server on loopback that remembers what it was asked. */
export async function startPlainServer(
  answer: (request: SeenRequest) => PlainAnswer | Promise<PlainAnswer>,
): Promise<PlainServer> {
  const seen: SeenRequest[] = []
  const server = createServer(async (incoming, outgoing) => {
    let text = ''
    for await (const chunk of incoming.setEncoding('utf8')) text += chunk
    const { method = '', headers } = incoming
    const { pathname: path, searchParams: query } = new URL(incoming.url ?? '', 'http://localhost')
    const request: SeenRequest = { method, path, query, headers, form: new URLSearchParams(text), text }
    seen.push(request)
    const { status = 200, headers: more = {}, body = '' } = await answer(request)
    const type = typeof body === 'string' ? 'text/plain' : 'application/json'
    outgoing.writeHead(status, { 'content-type': type, ...more })
    outgoing.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No port')
  return {
    origin: `http://127.0.0.1:${address.port}`,
    seen,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
