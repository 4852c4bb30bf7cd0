import type { IncomingMessage, ServerResponse } from 'node:http'
import { McpError } from '../../errors.ts'
import { type Clock, systemClock, type Timer } from '../../peer/clock.ts'
import type { Log } from '../../peer/served.ts'
import { ANONYMOUS, type Principal } from '../../protocol/call.ts'
import type { Endpoint, EndpointEvent } from '../endpoint.ts'
import { receiveSse } from '../http-sse/receive.ts'
import { authenticated } from './authenticated.ts'
import { toDenial } from './challenge.ts'
import { closeDesk, createDesk, type Desk, drainDesk, isIdle } from './desk.ts'
import type { HttpRequest, HttpResponse } from './exchange.ts'
import { createGuards, type GuardOptions } from './guards.ts'
import { type OpenSession, openSessionsOf } from './open-session.ts'
import { receiveOther } from './other-methods.ts'
import { type DoorState, HttpReply, isGone, type ReplyContext } from './reply.ts'
import { type ResourceMetadata, toMetadataSource, WELL_KNOWN } from './resource-metadata.ts'
import { receivePost } from './streamable.ts'

/** What is behind a door, whatever it listens on. */
export interface ReceptionOptions {
  /** The endpoint at a path, such as `/mcp`. Asked for every request; the same object keeps the same sessions. */
  readonly endpoint: (path: string) => Endpoint | undefined
  /**
   * The endpoint that is served over HTTP+SSE, the transport of the oldest revision, at a path such as `/sse`. Where
   * it offers that revision, a GET opens a session and names where to POST: the same path, with the session's id.
   * Default: none.
   */
  readonly sse?: (path: string) => Endpoint | undefined
  /** Pages beside the endpoints, such as `/healthz`. */
  readonly plain?: (request: PlainRequest) => PlainReply | undefined
  /**
   * Who answers by themselves at a path that is no endpoint's. `Host` and headers have been looked at and times are kept;
   * pages of which `Origin` may ask, and how long a body may be, is for whoever answers.
   */
  readonly beside?: (path: string) => Beside | undefined
  /** Who a caller is, for endpoints that do not say so themselves. */
  readonly authenticate?: Endpoint['authenticate']
  /**
   * What the resource at a path says of itself (RFC 9728); an object is that of every path. It is served where that
   * specification has it, and challenges say where. Default: nothing, and challenges say only `Bearer`.
   */
  readonly resourceMetadata?: ResourceMetadata | ((path: string) => ResourceMetadata | undefined)
  /** Most requests outside of sessions at work at once, per endpoint, listening ones apart. Default 10,000. */
  readonly maxCalls?: number
  /**
   * Most bytes of bodies that are not answered yet, all connections together, and as many of answers that their readers
   * did not take yet, of which those that wait longest are cut off. Default 256 MiB.
   */
  readonly maxHeldBytes?: number
  /** Pause between comments on a stream that is silent. Default 15 s. */
  readonly beatMs?: number
  readonly clock?: Clock
  /** Told of refusals, as {@link Endpoint.log}. */
  readonly log?: (event: EndpointEvent) => void
}

/** Answers one request, whole. */
export type Beside = (request: IncomingMessage, response: ServerResponse) => void

export interface PlainRequest {
  readonly method: string
  readonly path: string
  readonly headers: HttpRequest['headers']
}

export interface PlainReply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface DoorFigures {
  /** Replies under way. */
  readonly replies: number
  readonly sessions: number
}

/** Takes the requests of a door to the desks of its endpoints; knows nothing of how they came. */
export class Reception {
  readonly #options: ReceptionOptions
  readonly #clock: Clock
  readonly #desks = new Map<Endpoint, Desk>()
  readonly #state: DoorState
  /** For those who are turned away at the door. */
  readonly #refusals: ReplyContext
  readonly #guard: (request: HttpRequest) => McpError | undefined
  readonly #origins: ReadonlySet<string>
  #pulse: Timer | undefined

  constructor(options: ReceptionOptions, guards: GuardOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    const log: Log = (level, event, details) => options.log?.({ ...details, level, event })
    this.#state = {
      clock: this.#clock,
      log,
      isClosing: false,
      heldBytes: 0,
      unread: new Set(),
      unreadBytes: 0,
      maxHeldBytes: options.maxHeldBytes ?? 256 * 1024 * 1024,
      resourceMetadata: toMetadataSource(options.resourceMetadata),
    }
    this.#refusals = { door: this.#state, open: new Set(), maxStreamBytes: 0, cut: () => {} }
    this.#origins = new Set(guards.allowedOrigins)
    this.#guard = createGuards(guards)
  }

  readonly figures = (): DoorFigures => {
    let sessions = 0
    let replies = this.#refusals.open.size
    for (const desk of this.#desks.values()) {
      sessions += desk.sessions.size + desk.streams.size
      replies += desk.replies.open.size
    }
    return { replies, sessions }
  }

  /** Every handshake session that is here, at whichever endpoint. */
  readonly sessions = (): readonly OpenSession[] =>
    [...this.#desks].flatMap(([endpoint, desk]) => [...openSessionsOf(endpoint, desk)])

  /** Every request passes here; what most of them do not need is elsewhere. */
  readonly receive = (request: HttpRequest, response: HttpResponse): void => {
    try {
      const refusal = this.#guard(request) ?? (this.#state.isClosing ? closing() : undefined)
      if (refusal !== undefined) {
        // Looked at last: nothing else is wrong with it, and whoever answers beside the endpoints judges pages itself.
        const isPage = refusal.code === 'policy.forbidden_origin' && !this.#state.isClosing
        if (!isPage || !this.#handOver(toPath(request), request, response)) this.#refuse(response, refusal)
        return
      }
      const { origin } = request.headers
      if (origin !== undefined && this.#admitPage(request, response, origin)) return
      const path = toPath(request)
      if (this.#state.resourceMetadata !== undefined && path.startsWith(WELL_KNOWN)) {
        this.#describe(path, request, response)
        return
      }
      const endpoint = this.#options.endpoint(path)
      if (endpoint === undefined) {
        this.#receiveBeside(path, request, response)
        return
      }
      const desk = this.#desks.get(endpoint) ?? this.#addDesk(endpoint)
      // A promise would cost every call, so who is not asked for a name goes on in the same turn.
      const { authenticate } = desk
      if (authenticate !== undefined) this.#authenticate(endpoint, authenticate, request, response, receiveAny)
      else if (request.method === 'POST') receivePost(desk, request, response, ANONYMOUS)
      else receiveOther(desk, request, response, ANONYMOUS)
    } catch (error) {
      this.fail(response, error)
    }
  }

  /** Takes a request that another process let in and knows the caller of: nothing of it is asked again. */
  readonly receiveForwarded = (request: HttpRequest, response: HttpResponse, principal: Principal): void => {
    try {
      const { url = '/' } = request
      const [path = url] = url.split('?', 1)
      const endpoint = this.#options.endpoint(path)
      const beside = endpoint === undefined ? this.#options.sse?.(path) : undefined
      if (this.#state.isClosing) this.#refuse(response, closing())
      else if (endpoint !== undefined) receiveAny(this.#deskOf(endpoint).here, request, response, principal)
      else if (beside !== undefined) receiveSse(this.#deskOf(beside).here, request, response, principal)
      else this.#refuse(response, new McpError('peer.not_found', 'Nothing is served at this path'))
    } catch (error) {
      this.fail(response, error)
    }
  }

  /** Answers a request that could not be taken, by a fault on our side. */
  fail(response: HttpResponse, error: unknown): void {
    this.#refuse(response, toFault(error))
  }

  /** Takes nothing more; ends what listens and lets what works finish. Resolves when nothing is left, or after `ms`. */
  async drain(ms: number): Promise<void> {
    this.#state.isClosing = true
    await this.within(ms, Promise.all([...this.#desks.values()].map((desk) => drainDesk(desk, ms))))
  }

  /** Fails what is still at work and forgets every session. */
  close(): void {
    this.#state.isClosing = true
    for (const desk of this.#desks.values()) closeDesk(desk)
    this.#pulse?.cancel()
    this.#pulse = undefined
  }

  /** {@link drain} and then {@link close}. */
  async end(drainMs: number): Promise<void> {
    await this.drain(drainMs)
    this.close()
  }

  /** Resolves when `done` has settled, and after `ms` at the latest. */
  within(ms: number, done: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(ms, resolve)
      const settled = () => {
        timer.cancel()
        resolve()
      }
      done.then(settled, settled)
    })
  }

  /**
   * The desk is looked up again afterwards: by then it may have been cleared away. Who has gone meanwhile begins
   * nothing; a denial is on record all the same.
   */
  #authenticate(
    endpoint: Endpoint,
    authenticate: Authenticate,
    request: HttpRequest,
    response: HttpResponse,
    receive: Receive,
  ): void {
    const log = endpoint.log === undefined ? this.#state.log : this.#deskOf(endpoint).served.log
    const refuse = (error: unknown) => this.#refuse(response, toDenial(error))
    let principal: Principal | Promise<Principal>
    try {
      principal = authenticated(authenticate, request, log)
    } catch (error) {
      refuse(error)
      return
    }
    if (!(principal instanceof Promise)) {
      receive(this.#deskOf(endpoint), request, response, principal)
      return
    }
    principal
      .then((later) => {
        if (!isGone(response)) receive(this.#deskOf(endpoint), request, response, later)
      }, refuse)
      .catch((error: unknown) => this.fail(response, error))
  }

  /** What is no endpoint's path: that of an old transport, a page, or nothing. */
  #receiveBeside(path: string, request: HttpRequest, response: HttpResponse): void {
    const endpoint = this.#options.sse?.(path)
    if (endpoint === undefined) {
      if (!this.#handOver(path, request, response)) this.#receivePlain(path, request, response)
      return
    }
    const desk = this.#deskOf(endpoint)
    if (desk.authenticate === undefined) receiveSse(desk, request, response, ANONYMOUS)
    else this.#authenticate(endpoint, desk.authenticate, request, response, receiveSse)
  }

  /** Whether somebody answers this by themselves. */
  #handOver(path: string, request: HttpRequest, response: HttpResponse): boolean {
    const answer = this.#options.beside?.(path)
    // Only doors of `node:http` have this option, and theirs are these.
    answer?.(request as IncomingMessage, response as unknown as ServerResponse)
    return answer !== undefined
  }

  #describe(path: string, request: HttpRequest, response: HttpResponse): void {
    const metadata = this.#state.resourceMetadata?.(path)
    if (metadata === undefined) this.#receivePlain(path, request, response)
    else answerPlain({ status: 200, headers: JSON_HEADERS, body: JSON.stringify(metadata) }, request, response)
  }

  #receivePlain(path: string, request: HttpRequest, response: HttpResponse): void {
    const reply = this.#options.plain?.({ method: request.method ?? 'GET', path, headers: request.headers })
    if (reply === undefined) {
      this.#refuse(response, new McpError('peer.not_found', 'Nothing is served at this path'))
      return
    }
    answerPlain(reply, request, response)
  }

  /** Lets a page we know read our answers; true when the request was only its browser asking whether it may. */
  #admitPage(request: HttpRequest, response: HttpResponse, origin: string): boolean {
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
  #refuse(response: HttpResponse, error: McpError): void {
    if (response.headersSent) {
      response.destroy()
      return
    }
    response.shouldKeepAlive = false
    new HttpReply(response, { json: true, sse: false }, this.#refusals).refuse(error)
  }

  #deskOf(endpoint: Endpoint): Desk {
    return this.#desks.get(endpoint) ?? this.#addDesk(endpoint)
  }

  #addDesk(endpoint: Endpoint): Desk {
    // A configuration read anew may bring new endpoints; those that are no longer used must not pile up.
    if (this.#desks.size >= MAX_IDLE_DESKS) this.#clearIdleDesks()
    const desk = createDesk(endpoint, this.#options.authenticate, this.#options.maxCalls ?? 10_000, this.#state)
    this.#desks.set(endpoint, desk)
    // Not before there is a request: some platforms allow no timers outside of one.
    if (this.#pulse === undefined && !this.#state.isClosing) this.#beatLater()
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
        desk.streams.beat()
      }
      this.#beatLater()
    })
  }
}

function answerPlain(reply: PlainReply, request: HttpRequest, response: HttpResponse): void {
  const body = reply.body ?? ''
  const headers = { 'content-type': 'text/plain; charset=utf-8', ...reply.headers }
  response.writeHead(reply.status, { ...headers, 'content-length': Buffer.byteLength(body) })
  response.end(request.method === 'HEAD' ? undefined : body)
}

function toPath({ url = '/' }: HttpRequest): string {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}

type Authenticate = NonNullable<Endpoint['authenticate']>
type Receive = (desk: Desk, request: HttpRequest, response: HttpResponse, principal: Principal) => void

function receiveAny(desk: Desk, request: HttpRequest, response: HttpResponse, principal: Principal): void {
  if (request.method === 'POST') receivePost(desk, request, response, principal)
  else receiveOther(desk, request, response, principal)
}

function toFault(error: unknown): McpError {
  return new McpError('internal.error', 'Internal error', { cause: error })
}

function closing(): McpError {
  return new McpError('policy.busy', 'Cannot take a request: the server is closing')
}

const JSON_HEADERS = { 'content-type': 'application/json' }
/** Endpoints remembered although nothing of theirs is open. */
const MAX_IDLE_DESKS = 64
