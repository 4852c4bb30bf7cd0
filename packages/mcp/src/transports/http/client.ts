import { Pool } from 'undici'
import { McpError } from '../../errors.ts'
import { encodeNotification } from '../../jsonrpc/encode.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Timer } from '../../peer/clock.ts'
import { Conversation } from '../../peer/conversation.ts'
import { toOutgoing } from '../../peer/outgoing.ts'
import type { Answer, Waiting } from '../../peer/pending.ts'
import { encodeCall, type Outgoing } from '../../protocol/envelope.ts'
import { parseUrl } from '../../protocol/url.ts'
import type { Revision } from '../../revisions/revision.ts'
import type { ChangeListener, Closed, Wire, WireOptions } from '../wire.ts'
import { toPoolOptions, toWhere } from './address.ts'
import type { Authorization } from './authorization.ts'
import { type CallCarrier, type ExchangeTaker, HttpCall, type Underway } from './client-exchange.ts'
import { checkNoCredentials, isSessionId, toConfiguredHeaders, toTraced } from './client-headers.ts'
import { sendOneWay } from './client-one-way.ts'
import { type HttpRequest, patienceOf, sendRequest } from './client-send.ts'
import { EventStream } from './client-stream.ts'
import { encodeHeaderValue, MirroredTools } from './mirror.ts'

export interface HttpWireOptions extends WireOptions {
  /** What the server is called in sentences. Default: where it is. */
  readonly name?: string | undefined
  readonly url: URL
  /** Sent with every request, to the origin of `url` only. What the protocol itself sets is left out. */
  readonly headers: Readonly<Record<string, string>>
  /** Credentials for every request. Default: none but what `headers` has. */
  readonly authorization?: Authorization | undefined
  /** Most sockets for calls; streams and answers to the server have their own. */
  readonly maxSockets: number
  readonly connectTimeoutMs: number
  /** The Unix socket to reach the server by, instead of its host and port. */
  readonly socketPath: string | undefined
}

/** The client's end of Streamable HTTP, any revision. Nothing is sent before the first request. */
export function openHttpWire(options: HttpWireOptions): Wire {
  return new HttpWire(options)
}

class HttpWire implements Wire, CallCarrier {
  readonly conversation: Conversation
  readonly where: string
  readonly closed: Promise<Closed>
  readonly hearsChanges: Promise<boolean>
  readonly #options: HttpWireOptions
  readonly #calls: Pool
  /** Streams and answers to the server: they must get through while every socket for calls is taken. */
  readonly #side: Pool
  readonly #configured: readonly string[]
  readonly #tools: MirroredTools
  #url: URL
  #path: string
  /** Headers every POST has now, as name, value, name, value. */
  #common: string[]
  #replies = 0
  /** Answers are being dropped, and that was said. */
  #isSilenced = false
  #session: string | undefined
  #opened = false
  #unasked: EventStream | undefined
  /** Rings when a server took too long to say whether it sends unasked. */
  #hears: Timer | undefined
  #lost: (() => void) | undefined
  #end: Promise<void> | undefined
  #setClosed: (closed: Closed) => void = () => {}
  #setHears: (hears: boolean) => void = () => {}

  constructor(options: HttpWireOptions) {
    this.#options = options
    const { url, maxSockets, headers, authorization } = options
    if (authorization !== undefined) checkNoCredentials(headers)
    const pool = toPoolOptions(options)
    this.#calls = new Pool(url.origin, { ...pool, connections: maxSockets })
    this.#side = new Pool(url.origin, pool)
    this.where = toWhere(options)
    this.#url = url
    this.#path = url.pathname + url.search
    this.#configured = toConfiguredHeaders(headers)
    this.#tools = new MirroredTools((reason, tool) => (options.leftOut ?? options.fault)?.(reason, tool))
    this.conversation = new Conversation({
      ...options,
      reply: (text) => void this.#reply(text),
      abandon: (waiting, reason) => this.#abandon(waiting, reason),
    })
    this.#common = this.#toCommon()
    this.closed = new Promise((resolve) => {
      this.#setClosed = resolve
    })
    this.hearsChanges = new Promise((resolve) => {
      this.#setHears = resolve
    })
  }

  get revision(): Revision {
    return this.conversation.revision
  }

  adopt(revision: Revision, opened: boolean): void {
    this.conversation.revision = revision
    this.#opened = opened
    if (!opened) {
      this.#session = undefined
      this.#unasked?.stop()
      this.#unasked = undefined
    }
    this.#common = this.#toCommon()
    if (opened && revision.traits.lifecycle === 'handshake') this.#listen()
  }

  onChange(listener: ChangeListener): void {
    this.conversation.changed = listener
  }

  onLost(listener: () => void): void {
    this.#lost = listener
  }

  request(outgoing: Outgoing, hop: string, timeoutMs?: number): Promise<Answer> {
    if (this.#end !== undefined) {
      const message = `Cannot send "${outgoing.method}" to ${this.where}: closed by us`
      throw new McpError('upstream.unavailable', message, { neverRan: true })
    }
    const waiting = this.conversation.pending.open(outgoing, timeoutMs)
    new HttpCall(this, waiting, encodeCall(waiting.id, outgoing, hop, waiting.asksProgress))
    if (!this.conversation.revision.traits.standardHeaders) return waiting.answer
    if (outgoing.method === 'tools/list') return waiting.answer.then((answer) => this.#learn(answer))
    if (outgoing.method !== 'tools/call') return waiting.answer
    return waiting.answer.then((answer) =>
      answer.kind === 'error' && answer.error.code === HEADER_MISMATCH ? this.#again(outgoing, hop, timeoutMs) : answer,
    )
  }

  notify(method: string, params: JsonObject): Promise<void> {
    const mirrored = this.revision.traits.standardHeaders ? ['mcp-method', method] : []
    return this.#post(encodeNotification(method, params), mirrored)
  }

  close(): Promise<void> {
    this.#end ??= this.#close()
    return this.#end
  }

  dispatch(taker: ExchangeTaker, body: string, waiting: Waiting): Underway {
    const { method } = waiting.outgoing
    const headers = this.conversation.revision.traits.standardHeaders
      ? this.#toMirrored(waiting.outgoing)
      : [...this.#common, ...toTraced(waiting.outgoing)]
    const pool = method === 'subscriptions/listen' ? this.#side : this.#calls
    const request = { path: this.#path, method: 'POST', headers, body } as const
    const { limits, authorization } = this.#options
    const waits = authorization === undefined ? undefined : patienceOf(waiting, this.conversation.pending)
    return sendRequest(this.#options, this.where, pool, request, taker, limits.maxBytes, waits)
  }

  keepSession(id: string): boolean {
    if (!isSessionId(id)) return false
    this.#session = id
    return true
  }

  follow(location: string): boolean {
    const url = parseUrl(location, this.#url)
    if (url === undefined || url.origin !== this.#url.origin) return false
    this.#url = url
    this.#path = url.pathname + url.search
    return true
  }

  resume(waiting: Waiting, lastEventId: string, retryMs: number | undefined): void {
    const { pending } = this.conversation
    const stream = new EventStream({
      clock: this.#options.clock,
      lastEventId,
      ...(retryMs === undefined ? {} : { retryMs }),
      maxFailures: RESUME_FAILURES,
      keepsAlive: true,
      open: (taker, from) => this.#get(taker, from),
      message: (text) => this.conversation.receive(text, waiting),
      wanted: () => waiting.open,
      known: () => {},
      over: (reason) => {
        const message = `Lost ${this.where} during "${waiting.outgoing.method}" and cannot take up its stream: ${reason}`
        pending.fail(waiting.id, new McpError('upstream.closed', message))
      },
    })
    waiting.carrier = { abort: () => stream.stop() }
  }

  setTimer(ms: number, fire: () => void): Timer {
    return this.#options.clock.setTimer(ms, fire)
  }

  #learn(answer: Answer): Answer {
    return answer.kind === 'result' ? { kind: 'result', result: this.#tools.learn(answer.result) } : answer
  }

  /** The headers did not match the tool's schema of today: read the schemas anew and try once more. */
  async #again(outgoing: Outgoing, hop: string, timeoutMs: number | undefined): Promise<Answer> {
    let cursor: unknown
    for (let page = 0; page < MAX_PAGES; page++) {
      const params = cursor === undefined ? {} : { cursor }
      const answer = await this.request(toOutgoing('tools/list', params, outgoing.cancellation.signal), hop, timeoutMs)
      if (answer.kind !== 'result') return answer
      cursor = answer.result.nextCursor
      if (cursor === undefined) break
    }
    const waiting = this.conversation.pending.open(outgoing, timeoutMs)
    new HttpCall(this, waiting, encodeCall(waiting.id, outgoing, hop, waiting.asksProgress))
    return waiting.answer
  }

  #toMirrored(outgoing: Outgoing): string[] {
    const { method, params } = outgoing
    const nameParam = this.revision.methods.get(method)?.descriptor.nameParam
    const name = nameParam === undefined ? undefined : params[nameParam]
    const headers = [...this.#common, ...toTraced(outgoing), 'mcp-method', method]
    if (typeof name === 'string') headers.push('mcp-name', encodeHeaderValue(name))
    if (method === 'tools/call') headers.push(...this.#tools.headers(params))
    return headers
  }

  #toCommon(): string[] {
    const headers = ['accept', 'application/json, text/event-stream', 'content-type', 'application/json']
    headers.push(...this.#configured, ...this.#toHop())
    return headers
  }

  #toHop(): string[] {
    const { name, traits } = this.revision
    const headers: string[] = []
    if (traits.versionHeader === 'always' || (traits.versionHeader === 'after-initialize' && this.#opened)) {
      headers.push('mcp-protocol-version', name)
    }
    if (this.#session !== undefined) headers.push('mcp-session-id', this.#session)
    return headers
  }

  /** Opens the stream for what the server sends unasked, where it has one. */
  #listen(): void {
    if (this.#unasked !== undefined) return
    if (this.#session === undefined && !this.revision.traits.sessions) {
      this.#setHears(false)
      return
    }
    this.#hears?.cancel()
    this.#hears = this.#options.clock.setTimer(HEARS_MS, () => this.#setHears(true))
    const stream = new EventStream({
      clock: this.#options.clock,
      open: (taker, lastEventId) => this.#get(taker, lastEventId),
      message: (text) => this.conversation.receive(text),
      wanted: () => this.#unasked === stream,
      known: (has, reopened) => {
        this.#hears?.cancel()
        this.#setHears(has)
        if (reopened) this.conversation.changed?.(undefined)
      },
      over: (reason, opened) => {
        // It was there before: not the stream is gone but the session.
        if (opened) this.#lost?.()
        else this.#options.fault?.(`${this.where} has no stream for what it sends unasked: ${reason}`, '')
      },
    })
    this.#unasked = stream
  }

  #get(taker: ExchangeTaker, lastEventId: string | undefined): Underway {
    const headers = ['accept', 'text/event-stream', ...this.#configured, ...this.#toHop()]
    if (lastEventId !== undefined) headers.push('last-event-id', lastEventId)
    const request = { path: this.#path, method: 'GET', headers } as const
    return this.#aside(request, taker, this.#options.limits.maxBytes)
  }

  /** Each answer takes a connection until it is taken: a server that asks without taking them gets no more. */
  async #reply(text: string): Promise<void> {
    if (this.#replies >= MAX_REPLIES) {
      if (!this.#isSilenced)
        this.#options.fault?.(`${this.where} asks faster than it takes answers`, text.slice(0, 200))
      this.#isSilenced = true
      return
    }
    this.#isSilenced = false
    this.#replies++
    await this.#post(text, [])
    this.#replies--
  }

  /** A failure is a fault, since nobody waits for what it was. */
  async #post(body: string, more: readonly string[]): Promise<void> {
    const headers = [...this.#common, ...more]
    const problem = await this.#oneWay({ path: this.#path, method: 'POST', headers, body }, POST_MS)
    if (problem !== undefined)
      this.#options.fault?.(`${this.where} did not take a message: ${problem}`, body.slice(0, 200))
  }

  #oneWay(request: HttpRequest, withinMs: number): Promise<string | undefined> {
    return sendOneWay((taker) => this.#aside(request, taker, MAX_NO_ANSWER), this.#options.clock, withinMs)
  }

  /** What nobody waits for. */
  #aside(request: HttpRequest, taker: ExchangeTaker, maxBytes: number): Underway {
    return sendRequest(this.#options, this.where, this.#side, request, taker, maxBytes)
  }

  #abandon(waiting: Waiting, reason: string): void {
    waiting.carrier?.abort()
    // Closing the stream says it all where the revision has it so; elsewhere it says nothing.
    const { traits } = this.revision
    if (traits.disconnectCancels || waiting.outgoing.method === 'initialize' || this.#end !== undefined) return
    void this.notify('notifications/cancelled', { requestId: waiting.id, reason })
  }

  async #close(): Promise<void> {
    this.#hears?.cancel()
    this.#unasked?.stop()
    this.#unasked = undefined
    const { pending } = this.conversation
    for (const waiting of pending.entries()) waiting.carrier?.abort()
    pending.failAll(({ outgoing }) => new McpError('upstream.closed', `Closed by us during "${outgoing.method}"`))
    if (this.#session !== undefined) {
      // A server may refuse (405) or be gone; the session then ends by itself.
      const headers = [...this.#configured, ...this.#toHop()]
      await this.#oneWay({ path: this.#path, method: 'DELETE', headers }, DELETE_MS)
    }
    await Promise.all([this.#calls.destroy(), this.#side.destroy()])
    this.#setHears(false)
    this.#setClosed({ reason: 'Closed by us', asked: true })
  }
}

const HEADER_MISMATCH = -32020
/** Answers to questions of the server on their way at once. */
const MAX_REPLIES = 64
/** Pages of tools read to find a schema. */
const MAX_PAGES = 100
/** Failures in a row after which the stream of an answer is lost. */
const RESUME_FAILURES = 5
/** How long we wait to learn whether a server sends unasked, before we believe that it does. */
const HEARS_MS = 2_000
/** How long a message that expects no answer may take. */
const POST_MS = 30_000
const DELETE_MS = 1_000
/** Bytes of a body nobody reads. */
const MAX_NO_ANSWER = 64 * 1024
