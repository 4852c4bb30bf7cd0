import { Pool } from 'undici'
import { McpError } from '../../errors.ts'
import { encodeNotification } from '../../jsonrpc/encode.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Timer } from '../../peer/clock.ts'
import { Conversation } from '../../peer/conversation.ts'
import type { Answer, Refusal, Waiting } from '../../peer/pending.ts'
import { encodeCall, type Outgoing } from '../../protocol/envelope.ts'
import type { Revision } from '../../revisions/revision.ts'
import { lost } from '../duplex/connect.ts'
import { toPoolOptions, toWhere } from '../http/address.ts'
import type { HttpWireOptions } from '../http/client.ts'
import type { ExchangeTaker, Underway } from '../http/client-exchange.ts'
import { checkNoCredentials, toConfiguredHeaders, toTraced } from '../http/client-headers.ts'
import { sendOneWay } from '../http/client-one-way.ts'
import { patienceOf, sendRequest } from '../http/client-send.ts'
import type { ChangeListener, Closed, Wire } from '../wire.ts'
import { ClientPost } from './client-post.ts'
import { ClientStream } from './client-stream.ts'

/**
 * The client's end of HTTP+SSE. `initialize` opens the stream, and with it the session. A stream that breaks takes
 * the session and what was in flight along; a new one is opened by itself, at once when there is a call to send.
 */
export function openSseWire(options: HttpWireOptions): Wire {
  return new SseWire(options)
}

class SseWire implements Wire {
  readonly hearsChanges = Promise.resolve(true)
  readonly closed: Promise<Closed>
  readonly #options: HttpWireOptions
  readonly #where: string
  readonly #configured: readonly string[]
  readonly #conversation: Conversation
  readonly #calls: Pool
  /** The stream, and what has to get through while every socket for calls is taken. */
  readonly #side: Pool
  #stream: ClientStream | undefined
  /** Requests that wait for a new session, with what they say. */
  readonly #held = new Map<Waiting, string>()
  #isOpening = false
  /** There was a session, so that a new one is wanted when it is gone. */
  #wasOpened = false
  #failures = 0
  #again: Timer | undefined
  #lost: (() => void) | undefined
  #replies = 0
  #end: Promise<void> | undefined
  #setClosed: (closed: Closed) => void = () => {}

  constructor(options: HttpWireOptions) {
    this.#options = options
    this.#where = toWhere(options)
    if (options.authorization !== undefined) checkNoCredentials(options.headers)
    this.#configured = toConfiguredHeaders(options.headers)
    const pool = toPoolOptions(options)
    this.#calls = new Pool(options.url.origin, { ...pool, connections: options.maxSockets })
    this.#side = new Pool(options.url.origin, pool)
    this.#conversation = new Conversation({
      ...options,
      reply: (text) => void this.#reply(text),
      abandon: (waiting, reason) => this.#abandon(waiting, reason),
    })
    this.closed = new Promise((resolve) => {
      this.#setClosed = resolve
    })
  }

  get revision(): Revision {
    return this.#conversation.revision
  }

  adopt(revision: Revision, opened: boolean): void {
    this.#conversation.revision = revision
    if (opened) {
      this.#isOpening = false
      this.#wasOpened = true
      this.#failures = 0
    } else this.#leave('A new session is opened')
  }

  onChange(listener: ChangeListener): void {
    this.#conversation.changed = listener
  }

  onLost(listener: () => void): void {
    this.#lost = listener
  }

  request(outgoing: Outgoing, hop: string, timeoutMs?: number): Promise<Answer> {
    if (this.#end !== undefined) {
      const message = `Cannot send "${outgoing.method}" to ${this.#where}: closed by us`
      throw new McpError('upstream.unavailable', message, { neverRan: true })
    }
    const waiting = this.#conversation.pending.open(outgoing, timeoutMs)
    const text = encodeCall(waiting.id, outgoing, hop, waiting.asksProgress)
    if (outgoing.method === 'initialize') this.#initialize(waiting, text)
    else if (this.#stream?.target !== undefined && !this.#isOpening) this.#post(waiting, text, this.#stream.target)
    else {
      this.#held.set(waiting, text)
      if (!this.#isOpening) this.#renew()
    }
    return waiting.answer
  }

  async notify(method: string, params: JsonObject): Promise<void> {
    await this.#say(encodeNotification(method, params))
    if (method === 'notifications/initialized') this.#sendHeld()
  }

  close(): Promise<void> {
    this.#end ??= this.#close()
    return this.#end
  }

  /** Opens the stream; the request goes out once the server has named where to. */
  #initialize(waiting: Waiting, text: string): void {
    this.#again?.cancel()
    this.#isOpening = true
    const stream: ClientStream = new ClientStream(this.#options.url, this.#where, {
      open: (taker, url) => this.#get(taker, url, waiting),
      ready: () => {
        if (waiting.open && stream.target !== undefined) this.#post(waiting, text, stream.target)
      },
      message: (message) => this.#conversation.receive(message),
      over: (reason) => this.#over(stream, waiting, reason),
    })
    this.#stream = stream
    stream.open()
    waiting.answer.then(
      (answer) => {
        if (answer.kind !== 'result') this.#failed(new McpError('upstream.unavailable', NO_SESSION))
      },
      (error: unknown) =>
        this.#failed(error instanceof McpError ? error : new McpError('upstream.unavailable', NO_SESSION)),
    )
  }

  #over(stream: ClientStream, initialize: Waiting, reason: Refusal | McpError): void {
    if (this.#stream !== stream) return
    const { pending } = this.#conversation
    if (initialize.open) {
      if (reason instanceof McpError) pending.fail(initialize.id, reason)
      else pending.settle(initialize.id, reason)
      return
    }
    this.#leave(reason instanceof McpError ? reason.message : `HTTP ${reason.status}`)
    this.#renewLater()
  }

  /** The session is over, and with it whatever waits for an answer. */
  #leave(reason: string): void {
    this.#stream?.stop()
    this.#stream = undefined
    const { pending } = this.#conversation
    for (const waiting of pending.entries()) {
      if (this.#held.has(waiting)) continue
      waiting.carrier?.abort()
      pending.fail(waiting.id, lost(waiting.outgoing.method, reason))
    }
  }

  /** There will be no session by this `initialize`. */
  #failed(error: McpError): void {
    this.#isOpening = false
    this.#stream?.stop()
    this.#stream = undefined
    for (const { id } of this.#held.keys()) this.#conversation.pending.fail(id, error)
    this.#held.clear()
    if (this.#wasOpened) this.#renewLater()
  }

  /** Somebody may listen for changes, so that a new session is opened without a call; not in a loop, however. */
  #renewLater(): void {
    if (this.#end !== undefined) return
    this.#again?.cancel()
    const wait = Math.min(FIRST_WAIT_MS * 2 ** this.#failures++, MAX_WAIT_MS)
    this.#again = this.#options.clock.setTimer(wait, () => this.#renew())
  }

  #renew(): void {
    this.#again?.cancel()
    if (this.#end === undefined && !this.#isOpening) this.#lost?.()
  }

  #sendHeld(): void {
    const target = this.#stream?.target
    if (target === undefined) return
    for (const [waiting, text] of this.#held) {
      this.#held.delete(waiting)
      if (waiting.open) this.#post(waiting, text, target)
    }
  }

  #post(waiting: Waiting, text: string, target: URL): void {
    const { pending } = this.#conversation
    const request = this.#toPost(target, text, toTraced(waiting.outgoing))
    const waits = patienceOf(waiting, pending)
    const send = (taker: ExchangeTaker) =>
      sendRequest(this.#options, this.#where, this.#calls, request, taker, MAX_NO_ANSWER, waits)
    waiting.carrier = new ClientPost(send, waiting, pending, this.#where)
  }

  #toPost(target: URL, body: string, traced: readonly string[] = []) {
    const headers = ['content-type', 'application/json', 'accept', 'application/json, text/event-stream']
    return {
      path: target.pathname + target.search,
      method: 'POST' as const,
      headers: [...headers, ...this.#configured, ...this.#toVersion(), ...traced],
      body,
    }
  }

  #get(taker: ExchangeTaker, url: URL, initialize: Waiting): Underway {
    const headers = ['accept', 'text/event-stream', ...this.#configured]
    const request = { path: url.pathname + url.search, method: 'GET', headers } as const
    // A session that is opened anew without a call to send is not worth asking a person for.
    const inBackground = this.#wasOpened && this.#held.size === 0
    const waits = inBackground ? undefined : patienceOf(initialize, this.#conversation.pending)
    return sendRequest(this.#options, this.#where, this.#side, request, taker, this.#options.limits.maxBytes, waits)
  }

  /** Newer revisions over this transport send it, as the official SDK does. */
  #toVersion(): readonly string[] {
    const { name, traits } = this.revision
    return traits.versionHeader === 'none' || this.#isOpening ? [] : ['mcp-protocol-version', name]
  }

  /** A failure is a fault, since nobody waits for what it was. */
  async #say(text: string): Promise<void> {
    const target = this.#stream?.target
    if (target === undefined) return
    const request = this.#toPost(target, text)
    const send = (taker: ExchangeTaker) =>
      sendRequest(this.#options, this.#where, this.#side, request, taker, MAX_NO_ANSWER)
    const problem = await sendOneWay(send, this.#options.clock, POST_MS)
    if (problem !== undefined) {
      this.#options.fault?.(`${this.#where} did not take a message: ${problem}`, text.slice(0, 200))
    }
  }

  /** Each answer takes a connection until it is taken: a server that asks without taking them gets no more. */
  async #reply(text: string): Promise<void> {
    if (this.#replies >= MAX_REPLIES) {
      this.#options.fault?.(`${this.#where} asks faster than it takes answers`, text.slice(0, 200))
      return
    }
    this.#replies++
    await this.#say(text)
    this.#replies--
  }

  #abandon(waiting: Waiting, reason: string): void {
    if (this.#held.delete(waiting) || waiting.outgoing.method === 'initialize' || this.#end !== undefined) return
    waiting.carrier?.abort()
    void this.notify('notifications/cancelled', { requestId: waiting.id, reason })
  }

  async #close(): Promise<void> {
    this.#again?.cancel()
    this.#stream?.stop()
    this.#stream = undefined
    this.#held.clear()
    const { pending } = this.#conversation
    for (const waiting of pending.entries()) waiting.carrier?.abort()
    pending.failAll(({ outgoing }) => new McpError('upstream.closed', `Closed by us during "${outgoing.method}"`))
    await Promise.all([this.#calls.destroy(), this.#side.destroy()])
    this.#setClosed({ reason: 'Closed by us', asked: true })
  }
}

const NO_SESSION = 'Cannot open a new session with the server'
const FIRST_WAIT_MS = 1_000
const MAX_WAIT_MS = 30_000
/** Answers to questions of the server on their way at once. */
const MAX_REPLIES = 64
/** How long a message that expects no answer may take. */
const POST_MS = 30_000
/** Bytes of a body nobody reads. */
const MAX_NO_ANSWER = 64 * 1024
