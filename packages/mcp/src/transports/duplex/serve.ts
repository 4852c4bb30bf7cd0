import { type Handshake, shakeHands } from '../../bridge/handshake.ts'
import { Session } from '../../bridge/sessions.ts'
import { McpError } from '../../errors.ts'
import { INVALID_REQUEST, PARSE_ERROR } from '../../jsonrpc/codes.ts'
import { encodeErrorFor, encodeResult } from '../../jsonrpc/encode.ts'
import { type Frame, NO_PARAMS, type NotificationFrame, type RequestFrame } from '../../jsonrpc/frame.ts'
import { FrameFault, parseMessage } from '../../jsonrpc/parse.ts'
import { shown } from '../../jsonrpc/shown.ts'
import { BatchWay, isMixed } from '../../peer/batch.ts'
import { Calls, tooManyWait } from '../../peer/calls.ts'
import { admits, advance, type Lifecycle } from '../../peer/lifecycle.ts'
import { openEnveloped, type Way } from '../../peer/open-call.ts'
import { toFailure } from '../../peer/reply.ts'
import { type Served, unsupportedRevision } from '../../peer/served.ts'
import { ANONYMOUS, type Principal } from '../../protocol/call.ts'
import { checkEnvelope, hasEnvelope, parseEnvelope } from '../../protocol/envelope.ts'
import { NEWEST, NEWEST_HANDSHAKE } from '../../revisions/index.ts'
import type { Revision } from '../../revisions/revision.ts'
import type { Channel } from '../channel.ts'
import type { Endpoint } from '../endpoint.ts'
import { toServed } from '../served.ts'
import { type HeldMessage, HeldMessages, isBatch } from './held-messages.ts'
import { ChannelWay, Outlet } from './outlet.ts'

/** An endpoint at work on one channel. */
export interface ServedChannel {
  /** Resolves when the channel is gone; never rejects. */
  readonly closed: Promise<void>
  /**
   * Ends listeners, lets calls at work finish, and closes the channel.
   * @param options.drainMs how long calls may take to finish. Default 5 s.
   */
  close(options?: { readonly drainMs?: number }): Promise<void>
}

export interface ServeChannelOptions {
  /** Who is at the other end, where the pipe itself says it. Default: ANONYMOUS. */
  readonly principal?: Principal
}

/**
 * Serves an endpoint to the one client at the other end of a channel. The era is decided per message: `initialize`
 * opens a session for the life of the channel, and a request with an envelope is answered by its envelope even then.
 */
export function serveChannel(
  endpoint: Endpoint,
  channel: Channel,
  { principal = ANONYMOUS }: ServeChannelOptions = {},
): ServedChannel {
  return new ChannelServer(toServed(endpoint), channel, { principal, session: undefined })
}

/** A channel whose messages somebody else reads and hands in. */
export interface ServedConversation extends ServedChannel {
  /**
   * @param bytes how long the message is
   * @param done told once when nothing of it is held any more: it is answered, or nobody waits for that
   */
  receive(message: Frame | readonly Frame[], bytes: number, done?: () => void): void
  /** Why a batch cannot be taken now; undefined where it can, and for a single message. */
  findFault(message: Frame | readonly Frame[]): FrameFault | undefined
  /** The client does not read what it is sent: requests wait. */
  readonly isClogged: boolean
}

/** Who is at the other end of a channel. */
export interface ChannelCaller {
  readonly principal: Principal
  /** The id of its session, where the transport has one. */
  readonly session: string | undefined
}

/** As {@link serveChannel}, for a door that knows the caller and reads messages itself. */
export function serveConversation(served: Served, channel: Channel, caller: ChannelCaller): ServedConversation {
  return new ChannelServer(served, channel, caller)
}

class ChannelServer implements ServedConversation {
  readonly closed: Promise<void>
  readonly #served: Served
  readonly #channel: Channel
  readonly #caller: ChannelCaller
  readonly #calls: Calls
  readonly #outlet: Outlet
  readonly #leaving = new AbortController()
  #state: Lifecycle = 'new'
  #session: Session | undefined
  /** Requests that came while `initialize` was being answered, or while nobody read what we wrote. */
  readonly #held: HeldMessages
  /** Bytes of the message that is being taken. */
  #weight = 0
  /** The client confirmed a handshake before it could know of it. */
  #isConfirmed = false
  /** The channel reads no more until what is held was taken. */
  #isPaused = false
  #isCut = false
  #resolveClosed: () => void = () => {}
  #closing: Promise<void> | undefined
  #isGone = false

  constructor(served: Served, channel: Channel, caller: ChannelCaller) {
    this.#served = served
    this.#channel = channel
    this.#caller = caller
    const { maxConcurrent, maxWaiting, maxWaitingBytes } = served
    this.#held = new HeldMessages(maxWaiting, maxWaitingBytes)
    const weigh = () => this.#weight
    this.#calls = new Calls(served, { keyed: true, maxConcurrent, maxWaiting, maxWaitingBytes, weigh })
    this.#outlet = new Outlet(channel, {
      clogged: () => this.#calls.hold(),
      flowing: () => {
        this.#calls.release()
        this.#takeHeld()
      },
      failed: (error) => this.#gone(toError(error)),
    })
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    channel.start({
      message: (text) => this.#message(text),
      fault: (reason, sample) => this.#fault(reason, sample),
      closed: (error) => this.#gone(error),
    })
  }

  close({ drainMs = 5_000 }: { readonly drainMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(drainMs)
    return this.#closing
  }

  #message(text: string): void {
    let message: Frame | readonly Frame[]
    try {
      message = parseMessage(text, this.#served.limits)
    } catch (error) {
      if (!(error instanceof FrameFault)) throw error
      this.#refuse(error)
      return
    }
    this.receive(message, text.length)
  }

  receive(message: Frame | readonly Frame[], bytes: number, done?: () => void): void {
    if (this.#isCut || this.#isGone) done?.()
    else if ((this.isClogged || this.#state === 'opening') && this.#mustWait(message)) {
      this.#hold({ message, bytes, done })
    } else this.#take(message, bytes, done)
  }

  get isClogged(): boolean {
    return this.#outlet.isClogged
  }

  #fault(reason: string, sample: string): void {
    this.#served.log('warn', 'channel.fault', { reason, sample })
    this.#refuse(new FrameFault(PARSE_ERROR, reason))
  }

  /** Where errors need an id and there is none, nothing can be said. */
  #refuse(fault: FrameFault): void {
    const needsId = this.#session !== undefined && !this.#session.handshake.revision.traits.errorWithoutId
    if (fault.idText === undefined && needsId) {
      this.#served.log('warn', 'channel.unreadable', { reason: fault.message })
      return
    }
    this.#outlet.write(encodeErrorFor(fault.idText, { code: fault.rpcCode, message: fault.message }))
  }

  /** Only what makes work: an answer lets work go on, and taking a request back must not wait behind it. */
  #mustWait(message: Frame | readonly Frame[]): boolean {
    if (isBatch(message)) return this.#state === 'opening' || message.some(({ kind }) => kind === 'request')
    return message.kind === 'request' && (this.isClogged || !isUrgent(message))
  }

  /**
   * Beyond the bound a channel that can lets its client wait: nothing is lost, and clients expect of a pipe that it
   * fills up. It is good for this alone. Calls that wait for others are refused beyond the bound, and the channel
   * read on: what those others may be waiting for, answers to questions and cancellations, comes on it, too.
   */
  #hold(held: HeldMessage): void {
    if (this.#isPaused || this.#held.hasRoomFor(held.bytes, this.#calls.waitingBytes)) this.#held.push(held)
    else if (this.#channel.pause !== undefined) {
      this.#held.push(held)
      this.#isPaused = true
      this.#channel.pause()
    } else this.#turnAway(held)
  }

  /** Each refusal is one more thing to read: who does not read gets one, and is cut off. */
  #turnAway({ message, done }: HeldMessage): void {
    const error = tooManyWait(this.#held.size, this.#held.bytes + this.#calls.waitingBytes)
    for (const frame of isBatch(message) ? message : [message]) {
      if (frame.kind === 'request') this.#outlet.answer(toFailure(this.#revision, frame.method, frame.id, error))
    }
    done?.()
    if (!this.isClogged) return
    this.#isCut = true
    this.#served.log('error', 'channel.cut', { reason: 'it sends without reading' })
    this.#channel.close().catch((failure: unknown) => this.#served.log('warn', 'channel.close', { error: failure }))
  }

  #takeHeld(): void {
    while (this.#held.size > 0 && !this.isClogged && this.#state !== 'opening') {
      const next = this.#held.shift()
      if (next !== undefined) this.#take(next.message, next.bytes, next.done)
    }
    if (!this.#isPaused || this.#held.size > 0) return
    this.#isPaused = false
    this.#channel.resume?.()
  }

  #take(message: Frame | readonly Frame[], bytes: number, done: (() => void) | undefined): void {
    this.#weight = bytes
    if (isBatch(message)) {
      this.#batch(message, done)
      return
    }
    if (message.kind === 'request') {
      this.#request(message, new ChannelWay(this.#outlet, message, done))
      return
    }
    if (message.kind === 'notification') this.#notification(message)
    else if (this.#session?.reply(message) !== true) this.#served.log('debug', 'channel.stray', { kind: message.kind })
    done?.()
  }

  #request(frame: RequestFrame, way: Way): void {
    try {
      this.#answer(frame, way)
    } catch (error) {
      way.answer(toFailure(this.#revision, frame.method, frame.id, error))
    }
  }

  get #revision(): Revision {
    return this.#session?.handshake.revision ?? this.#served.handshakes[0] ?? NEWEST
  }

  #answer(frame: RequestFrame, way: Way): void {
    if (this.#closing !== undefined) {
      throw new McpError('policy.busy', 'Cannot take a request: the server is closing')
    }
    if (hasEnvelope(frame.params)) {
      const call = openEnveloped(this.#served, frame, this.#caller.principal, way)
      if (call !== undefined) this.#calls.take(call)
    } else if (this.#session !== undefined) this.#session.request(frame, way)
    else if (frame.method === 'initialize') this.#initialize(frame, way)
    else this.#early(frame, way)
  }

  /** Before initialize only pings are answered. */
  #early(frame: RequestFrame, way: Way): void {
    if (this.#served.handshakes.length === 0) throw unsupportedRevision(this.#served, undefined)
    if (admits(this.#state, frame.method) !== 'now') {
      if (this.#served.envelopes.size > 0) checkNoVersion(frame)
      throw new McpError('peer.invalid_request', `Cannot answer "${shown(frame.method)}" before "initialize"`)
    }
    way.answer({ text: encodeResult(frame.id, {}), status: 200 })
  }

  #initialize(frame: RequestFrame, way: Way): void {
    const { protocolVersion } = frame.params
    if (this.#served.handshakes.length === 0) {
      throw unsupportedRevision(this.#served, typeof protocolVersion === 'string' ? protocolVersion : undefined)
    }
    this.#state = advance(this.#state, 'initialize')
    const { principal, session } = this.#caller
    shakeHands(this.#served, frame.params, principal, session, this.#leaving.signal).then(
      (handshake) => this.#opened(frame, handshake, way),
      (error: unknown) => {
        this.#state = advance(this.#state, 'refused')
        this.#isConfirmed = false
        way.answer(toFailure(NEWEST_HANDSHAKE, frame.method, frame.id, error))
        this.#takeHeld()
      },
    )
  }

  #opened(frame: RequestFrame, handshake: Handshake, way: Way): void {
    if (this.#isGone) {
      way.answer(undefined)
      return
    }
    this.#state = advance(this.#state, 'answered')
    const tell = (text: string, topic: string) => this.#outlet.tell(text, topic)
    this.#session = new Session(this.#served, handshake, this.#caller.principal, tell, { calls: this.#calls })
    way.answer({ text: encodeResult(frame.id, handshake.result), status: 200 })
    if (this.#isConfirmed) this.#session.notification(CONFIRMED)
    this.#takeHeld()
  }

  #notification(frame: NotificationFrame): void {
    const isCancelled = frame.method === 'notifications/cancelled'
    const { requestId } = frame.params
    if (isCancelled && this.#held.size > 0) this.#held.withdraw(requestId)
    if (this.#session !== undefined) this.#session.notification(frame)
    else if (frame.method === 'notifications/initialized')
      this.#isConfirmed = this.#state === 'opening' || this.isClogged
    else if (isCancelled && (typeof requestId === 'string' || typeof requestId === 'number')) {
      this.#calls.cancel(requestId)
    }
  }

  findFault(message: Frame | readonly Frame[]): FrameFault | undefined {
    if (!isBatch(message)) return undefined
    const isModern = message.some((frame) => 'params' in frame && hasEnvelope(frame.params))
    if (this.#session?.handshake.revision.traits.batching === true && !isModern) return undefined
    return new FrameFault(INVALID_REQUEST, 'Cannot take a batch; send each message by itself')
  }

  #batch(batch: readonly Frame[], done: (() => void) | undefined): void {
    const session = this.#session
    const fault = this.findFault(batch)
    if (fault !== undefined || session === undefined) {
      if (fault !== undefined) this.#refuse(fault)
      done?.()
      return
    }
    const requests = batch.filter((frame) => frame.kind === 'request')
    const shared: Way = {
      canSend: true,
      notify: (text) => this.#outlet.notify(text),
      send: (text) => this.#outlet.send(text),
      answer: (answer) => {
        this.#outlet.answer(answer)
        done?.()
      },
    }
    const way = new BatchWay(shared, requests.length)
    if (requests.length === 0) done?.()
    this.#weight /= Math.max(1, requests.length)
    if (isMixed(batch)) {
      const error = new McpError('peer.invalid_request', 'Cannot take a batch of requests and responses')
      for (const { method, id } of requests) way.answer(toFailure(session.handshake.revision, method, id, error))
      return
    }
    for (const frame of batch) {
      if (frame.kind === 'notification') session.notification(frame)
      else if (frame.kind !== 'request') session.reply(frame)
    }
    for (const frame of requests) session.request(frame, way)
  }

  #gone(error: Error | undefined): void {
    if (this.#isGone) return
    this.#isGone = true
    if (error !== undefined) this.#served.log('warn', 'channel.closed', { error })
    this.#state = advance(this.#state, 'close')
    this.#held.clear()
    this.#outlet.end()
    const reason = new McpError('caller.cancelled', 'The caller is gone')
    this.#leaving.abort(reason)
    this.#session?.close()
    this.#calls.drop(reason)
    this.#resolveClosed()
  }

  async #close(drainMs: number): Promise<void> {
    this.#session?.close()
    this.#calls.finishListening()
    if (this.#calls.size > 0) await this.#within(drainMs, this.#calls.idle())
    this.#calls.fail(new McpError('policy.busy', 'Cannot finish the request: the server is closing'))
    await this.#within(FLUSH_MS, this.#channel.drained())
    await this.#channel.close()
    this.#gone(undefined)
  }

  #within(ms: number, done: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#served.clock.setTimer(ms, resolve)
      const settled = () => {
        timer.cancel()
        resolve()
      }
      done.then(settled, settled)
    })
  }
}

/** Who says what it can do, or who it is, means an envelope and left its version out: it is told so. */
function checkNoVersion({ params }: RequestFrame): void {
  const envelope = parseEnvelope(params)
  if (envelope.capabilities !== undefined || envelope.client !== undefined) checkEnvelope(envelope)
}

/** What is answered while the handshake is still under way. */
function isUrgent({ method, params }: RequestFrame): boolean {
  return method === 'ping' || method === 'initialize' || hasEnvelope(params)
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

const CONFIRMED: NotificationFrame = { kind: 'notification', method: 'notifications/initialized', params: NO_PARAMS }
const FLUSH_MS = 500
