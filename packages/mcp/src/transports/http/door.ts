import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { McpError } from '../../errors.ts'
import { type Clock, systemClock, type Timer } from '../../peer/clock.ts'
import type { Log } from '../../peer/served.ts'
import { ANONYMOUS, type Principal } from '../../protocol/call.ts'
import type { Endpoint, EndpointEvent } from '../endpoint.ts'
import { closeDesk, createDesk, type Desk, drainDesk, isIdle } from './desk.ts'
import { createGuards, isLoopback } from './guards.ts'
import { receiveOther } from './other-methods.ts'
import { type DoorState, HttpReply, type ReplyContext } from './reply.ts'
import { receivePost } from './streamable.ts'

export interface HttpDoorOptions {
  /** Address to listen on. Default `127.0.0.1`; anything but loopback needs `authenticate`. */
  readonly host?: string
  /** Default 0: any free port. */
  readonly port?: number
  /** The endpoint at a path, such as `/mcp`. Asked for every request; the same object keeps the same sessions. */
  readonly endpoint: (path: string) => Endpoint | undefined
  /** Pages beside the endpoints, such as `/healthz`. */
  readonly plain?: (request: PlainRequest) => PlainReply | undefined
  /** Who a caller is, for endpoints that do not say so themselves. */
  readonly authenticate?: Endpoint['authenticate']
  /**
   * What a `Host` header may give: `name` with any port, `name:port` with that one. Default on loopback: `localhost`,
   * `127.0.0.1`, `[::1]`; elsewhere any.
   */
  readonly allowedHosts?: readonly string[]
  /** Origins that web pages may call from, besides our own on loopback. Default none. */
  readonly allowedOrigins?: readonly string[]
  /** Most connections at once; more are closed unheard. Default 10,000. */
  readonly maxConnections?: number
  /** Most requests outside of sessions at work at once, per endpoint, listening ones apart. Default 10,000. */
  readonly maxCalls?: number
  /** Most bytes of bodies still on their way, all connections together. Default 256 MiB. */
  readonly maxHeldBytes?: number
  /** Until the headers of a request are there. Default 10 s. */
  readonly headersTimeoutMs?: number
  /** Until a whole request is there. Default 30 s. */
  readonly requestTimeoutMs?: number
  /** How often the two above are looked at. Default 1 s. */
  readonly timeoutCheckMs?: number
  /** Pause between comments on a stream that is silent. Default 15 s. */
  readonly beatMs?: number
  readonly clock?: Clock
  /** Told of refusals, as {@link Endpoint.log}. */
  readonly log?: (event: EndpointEvent) => void
}

export interface PlainRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

export interface PlainReply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A listening server. */
export interface HttpDoor {
  /** Without a path, such as `http://127.0.0.1:8080`. */
  readonly url: string
  readonly host: string
  readonly port: number
  readonly figures: () => DoorFigures
  /**
   * Stops listening, lets requests at work finish, ends streams, and then cuts off what is left.
   * @param options.drainMs how long work may take to finish. Default 10 s.
   */
  close(options?: { readonly drainMs?: number }): Promise<void>
}

export interface DoorFigures {
  /** Replies under way. */
  readonly replies: number
  readonly sessions: number
}

/**
 * Serves endpoints over HTTP, every revision at the same path.
 * @throws {TypeError} for an address others can reach without `authenticate`
 */
export async function openHttpDoor(options: HttpDoorOptions): Promise<HttpDoor> {
  const host = options.host ?? '127.0.0.1'
  if (!isLoopback(host) && options.authenticate === undefined) {
    throw new TypeError(`Cannot listen on "${host}" without authentication: anyone who reaches it could call`)
  }
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: options.headersTimeoutMs ?? 10_000,
    requestTimeout: options.requestTimeoutMs ?? 30_000,
    connectionsCheckingInterval: options.timeoutCheckMs ?? 1_000,
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
  })
  server.maxConnections = options.maxConnections ?? 10_000
  await listen(server, host, options.port ?? 0)
  const { port } = server.address() as AddressInfo // a TCP server that listens has one
  return new Door(server, host, port, options)
}

class Door implements HttpDoor {
  readonly url: string
  readonly host: string
  readonly port: number
  readonly #server: Server
  readonly #options: HttpDoorOptions
  readonly #clock: Clock
  readonly #log: Log
  readonly #desks = new Map<Endpoint, Desk>()
  readonly #state: DoorState
  /** For those who are turned away at the door. */
  readonly #refusals: ReplyContext
  readonly #guard: (request: IncomingMessage) => McpError | undefined
  readonly #origins: ReadonlySet<string>
  #pulse: Timer | undefined
  #closed: Promise<void> | undefined

  constructor(server: Server, host: string, port: number, options: HttpDoorOptions) {
    const name = host.includes(':') ? `[${host}]` : host
    this.url = `http://${name}:${port}`
    this.host = host
    this.port = port
    this.#server = server
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#log = (level, event, details) => options.log?.({ ...details, level, event })
    this.#state = {
      clock: this.#clock,
      log: this.#log,
      isClosing: false,
      heldBytes: 0,
      maxHeldBytes: options.maxHeldBytes ?? 256 * 1024 * 1024,
    }
    this.#refusals = { door: this.#state, open: new Set(), maxStreamBytes: 0 }
    const own = isLoopback(host) ? [...LOOPBACK, name].map((local) => `http://${local}:${port}`) : []
    const allowedOrigins = [...own, ...(options.allowedOrigins ?? [])]
    this.#origins = new Set(allowedOrigins)
    this.#guard = createGuards({
      allowedHosts:
        options.allowedHosts ??
        (isLoopback(host) ? [...LOOPBACK, name, `${name}:${port}`, `localhost:${port}`] : undefined),
      allowedOrigins,
    })
    server.on('request', this.#receive)
    this.#beatLater()
  }

  readonly figures = (): DoorFigures => {
    let sessions = 0
    let replies = this.#refusals.open.size
    for (const desk of this.#desks.values()) {
      sessions += desk.sessions.size
      replies += desk.replies.open.size
    }
    return { replies, sessions }
  }

  close({ drainMs = 10_000 }: { readonly drainMs?: number } = {}): Promise<void> {
    this.#closed ??= this.#close(drainMs)
    return this.#closed
  }

  /** Every request passes here; what most of them do not need is elsewhere. */
  readonly #receive = (request: IncomingMessage, response: ServerResponse): void => {
    try {
      const refusal = this.#guard(request) ?? (this.#state.isClosing ? closing() : undefined)
      if (refusal !== undefined) {
        this.#refuse(response, refusal)
        return
      }
      const { origin } = request.headers
      if (origin !== undefined && this.#admitPage(request, response, origin)) return
      const { url = '/' } = request
      const query = url.indexOf('?')
      const path = query === -1 ? url : url.slice(0, query)
      const endpoint = this.#options.endpoint(path)
      if (endpoint === undefined) {
        this.#receivePlain(path, request, response)
        return
      }
      const desk = this.#desks.get(endpoint) ?? this.#addDesk(endpoint)
      // A promise would cost every call, so who is not asked for a name goes on in the same turn.
      if (desk.authenticate !== undefined) this.#authenticate(endpoint, desk.authenticate, request, response)
      else if (request.method === 'POST') receivePost(desk, request, response, ANONYMOUS)
      else receiveOther(desk, request, response, ANONYMOUS)
    } catch (error) {
      this.#refuse(response, toFault(error))
    }
  }

  /** The desk is looked up again afterwards: by then it may have been cleared away. */
  #authenticate(
    endpoint: Endpoint,
    authenticate: NonNullable<Endpoint['authenticate']>,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const receive = request.method === 'POST' ? receivePost : receiveOther
    authenticated(authenticate, request)
      .then(
        (principal) => receive(this.#desks.get(endpoint) ?? this.#addDesk(endpoint), request, response, principal),
        (error: unknown) => this.#refuse(response, toDenial(error)),
      )
      .catch((error: unknown) => this.#refuse(response, toFault(error)))
  }

  #receivePlain(path: string, request: IncomingMessage, response: ServerResponse): void {
    const reply = this.#options.plain?.({ method: request.method ?? 'GET', path, headers: request.headers })
    if (reply === undefined) {
      this.#refuse(response, new McpError('peer.not_found', 'Nothing is served at this path'))
      return
    }
    const body = reply.body ?? ''
    const headers = { 'content-type': 'text/plain; charset=utf-8', ...reply.headers }
    response.writeHead(reply.status, { ...headers, 'content-length': Buffer.byteLength(body) })
    response.end(request.method === 'HEAD' ? undefined : body)
  }

  /** Lets a page we know read our answers; true when the request was only its browser asking whether it may. */
  #admitPage(request: IncomingMessage, response: ServerResponse, origin: string): boolean {
    if (!this.#origins.has(origin)) return false
    response.setHeader('access-control-allow-origin', origin)
    response.setHeader('vary', 'origin')
    response.setHeader('access-control-expose-headers', 'mcp-session-id, www-authenticate')
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return false
    response.writeHead(204, {
      'access-control-allow-methods': 'POST, GET, DELETE',
      'access-control-allow-headers': request.headers['access-control-request-headers'] ?? '*',
      'access-control-max-age': '600',
    })
    response.end()
    return true
  }

  /** Who is turned away at the door does not keep the connection: what else is on it may be no request at all. */
  #refuse(response: ServerResponse, error: McpError): void {
    if (response.headersSent) {
      response.destroy()
      return
    }
    response.shouldKeepAlive = false
    new HttpReply(response, { json: true, sse: false }, this.#refusals).refuse(error)
  }

  #addDesk(endpoint: Endpoint): Desk {
    // A configuration read anew may bring new endpoints; those that are no longer used must not pile up.
    if (this.#desks.size >= MAX_IDLE_DESKS) this.#clearIdleDesks()
    const desk = createDesk(endpoint, this.#options.authenticate, this.#options.maxCalls ?? 10_000, this.#state)
    this.#desks.set(endpoint, desk)
    return desk
  }

  #clearIdleDesks(): void {
    for (const [endpoint, desk] of this.#desks) {
      if (!isIdle(desk)) continue
      closeDesk(desk)
      this.#desks.delete(endpoint)
    }
  }

  /** One timer for all that is open, so that a thousand idle streams cost no thousand timers. */
  #beatLater(): void {
    this.#pulse = this.#clock.setTimer(this.#options.beatMs ?? 15_000, () => {
      for (const desk of this.#desks.values()) {
        for (const { it: reply } of desk.replies.open) reply?.beat()
        desk.sessions.beat()
      }
      this.#beatLater()
    })
  }

  async #close(drainMs: number): Promise<void> {
    this.#state.isClosing = true
    const gone = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    const desks = [...this.#desks.values()]
    await this.#within(drainMs, Promise.all(desks.map(drainDesk)))
    for (const desk of desks) closeDesk(desk)
    this.#pulse?.cancel()
    this.#server.closeIdleConnections()
    await this.#within(FLUSH_MS, gone)
    this.#server.closeAllConnections()
    await gone
  }

  #within(ms: number, done: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(ms, resolve)
      const settled = () => {
        timer.cancel()
        resolve()
      }
      done.then(settled, settled)
    })
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function toSingle(headers: IncomingHttpHeaders): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

/** Async, so that what `authenticate` throws at once is caught like what it throws later. */
async function authenticated(
  authenticate: NonNullable<Endpoint['authenticate']>,
  request: IncomingMessage,
): Promise<Principal> {
  return authenticate(toSingle(request.headers))
}

function toFault(error: unknown): McpError {
  return new McpError('internal.error', 'Internal error', { cause: error })
}

function toDenial(error: unknown): McpError {
  if (error instanceof McpError) return error
  return new McpError('caller.unauthenticated', 'Cannot tell who is calling', { cause: error })
}

function closing(): McpError {
  return new McpError('policy.busy', 'Cannot take a request: the server is closing')
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']
const MAX_HEADER_BYTES = 16 * 1024
/** Endpoints remembered although nothing of theirs is open. */
const MAX_IDLE_DESKS = 64
const KEEP_ALIVE_MS = 65_000
/** What was said last must still leave the machine. */
const FLUSH_MS = 500
