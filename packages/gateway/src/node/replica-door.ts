import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import type { Principal } from '@crosspoint/mcp'
import type { HttpDoor, HttpRequest } from '@crosspoint/mcp/transports'
import { DIGEST, PASS, type Passes, TO, toPassed } from './passes.ts'
import { sha256Of } from './sha256.ts'

export interface ReplicaDoorOptions {
  readonly host: string
  readonly port: number
  /** Who we are among the others: what is for somebody else is not taken. */
  readonly node: string
  readonly passes: Passes
  /** Takes what was let in; undefined while there is nothing to hand it to. */
  readonly receive: () => HttpDoor['receiveForwarded'] | undefined
  /** Longest body. Default 256 MiB: who handed it on has looked. */
  readonly maxBytes?: number
  /** Told of who was turned away. */
  readonly refused: (status: number) => void
}

export interface ReplicaDoor {
  /** Where other machines reach it, as far as can be told here. */
  readonly address: string
  close(): Promise<void>
}

/** Listens for requests that other gateways of the cluster hand on, and takes nothing else. */
export async function openReplicaDoor(options: ReplicaDoorOptions): Promise<ReplicaDoor> {
  const { host, port } = options
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    keepAliveTimeout: 60_000,
    noDelay: true,
  })
  server.maxConnections = MAX_CONNECTIONS
  server.on('request', (request, response) => void take(request, response, options))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const bound = (server.address() as AddressInfo).port // a TCP server that listens has one
  return {
    address: `http://${toName(host)}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function take(request: IncomingMessage, response: ServerResponse, options: ReplicaDoorOptions): Promise<void> {
  const { node, passes, receive, refused, maxBytes = 256 * 1024 * 1024 } = options
  const refuse = (status: number) => {
    refused(status)
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(REFUSED)
  }
  const { method = '', url = '', headers } = request
  const { [PASS]: pass, [TO]: to, [DIGEST]: digest } = headers
  if (typeof pass !== 'string' || typeof to !== 'string' || typeof digest !== 'string') return refuse(401)
  // Its address belonged to another one before.
  if (to !== node) return refuse(421)
  const principal = passes.read({ to, method, url, headers: toPassed(headers), digest }, pass)
  if (principal === undefined) return refuse(401)
  const body = await readBody(request, maxBytes)
  if (body === undefined) return
  if (sha256Of(body) !== digest) return refuse(401)
  const received = receive()
  if (received === undefined) return refuse(503)
  received(toRead(request, body) as IncomingMessage, response, principal satisfies Principal)
}

/** All of it; undefined where it broke off or is too long, and then there is nobody to answer. */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > maxBytes) {
        request.destroy()
        return undefined
      }
      chunks.push(chunk)
    }
  } catch {
    return undefined
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
}

/** The request, to be read once more. */
function toRead(request: IncomingMessage, body: Buffer): HttpRequest {
  const on = (event: string, listener: (chunk: Buffer) => void) => {
    if (event === 'data') {
      if (body.length > 0) queueMicrotask(() => listener(body))
    } else if (event === 'end') queueMicrotask(() => listener(body))
    else request.on(event, listener)
  }
  const { method, url, headers, rawHeaders, socket } = request
  return { method, url, headers, rawHeaders, socket, complete: true, on, once: on, resume() {}, pause() {} }
}

function toName(host: string): string {
  if (host === '0.0.0.0' || host === '::') return hostname()
  return host.includes(':') ? `[${host}]` : host
}

/** The same for everybody. */
const REFUSED = '{"error":"This is not for you"}\n'
/** A principal is in one of them, with all its claims. */
const MAX_HEADER_BYTES = 128 * 1024
const MAX_CONNECTIONS = 20_000
