import { McpError } from '../errors.ts'
import { encodeNotification, encodeResult } from '../jsonrpc/encode.ts'
import type { NotificationFrame, ReplyFrame, RequestFrame } from '../jsonrpc/frame.ts'
import { Calls } from '../peer/calls.ts'
import { advance, type Lifecycle, maySend } from '../peer/lifecycle.ts'
import { unknownMethod } from '../peer/membership.ts'
import { type Caller, OpenCall, type Way } from '../peer/open-call.ts'
import { findOwnMethod } from '../peer/own-methods.ts'
import { Questions } from '../peer/questions.ts'
import { toFailure } from '../peer/reply.ts'
import type { Served } from '../peer/served.ts'
import type { Notification, Principal } from '../protocol/call.ts'
import { hasCapability } from '../protocol/capabilities.ts'
import { parseEnvelope } from '../protocol/envelope.ts'
import type { LogLevel } from '../protocol/features/logging.ts'
import { hasTasks } from '../protocol/features/tasks.ts'
import { NEWEST } from '../revisions/index.ts'
import type { MethodCodec } from '../revisions/revision.ts'
import type { Handshake } from './handshake.ts'
import { parseLevel, toFirstLevel } from './log-level.ts'
import type { SessionFacts } from './session-facts.ts'
import { Subscriptions } from './subscriptions.ts'
import { CoreTasks } from './tasks.ts'

export interface SessionOptions {
  /** Where its calls are kept; a channel keeps those of all its conversations together. Default: apart. */
  readonly calls?: Calls
  /** Keeps what changed of the facts. What is waited for is waited for before the client hears of it; never rejects. */
  readonly changed?: () => Promise<void> | undefined
}

/**
 * A conversation that began with `initialize`: what was settled then, what the client set since, and its calls.
 * What older revisions ask of a session is answered here; everything else goes to the handle.
 */
export class Session {
  readonly handshake: Handshake
  readonly principal: Principal
  readonly calls: Calls
  readonly #served: Served
  readonly #subscriptions: Subscriptions
  readonly #tasks: CoreTasks | undefined
  readonly #questions: Questions
  /** What the server says of its own accord, as text; `topic` is the same for what makes an earlier one needless. */
  readonly #tell: (text: string, topic: string) => void
  readonly #changed: SessionOptions['changed']
  #caller: Caller
  #state: Lifecycle = 'opened'
  /** Made with the first: most clients confirm the handshake before anything happens. */
  #untold: Map<string, Notification> | undefined

  constructor(
    served: Served,
    handshake: Handshake,
    principal: Principal,
    tell: (text: string, topic: string) => void,
    { calls, changed }: SessionOptions = {},
  ) {
    const { revision, downstream, capabilities } = handshake
    this.handshake = handshake
    this.principal = principal
    this.#served = served
    this.#tell = tell
    this.#changed = changed
    this.calls =
      calls ?? new Calls(served, { keyed: true, maxConcurrent: served.maxConcurrent, maxWaiting: served.maxWaiting })
    this.#questions = new Questions({
      clock: served.clock,
      revision,
      capabilities: downstream.capabilities,
      timeoutMs: served.questionTimeoutMs,
      max: served.maxQuestions,
      tell,
    })
    const questions = revision.traits.serverRequests ? this.#questions : undefined
    this.#caller = { revision, principal, downstream, logLevel: toFirstLevel(capabilities), questions }
    this.#tasks =
      revision.traits.tasks === 'core' && hasTasks(capabilities) ? new CoreTasks(served, revision) : undefined
    this.#subscriptions = new Subscriptions(served, this.#caller, capabilities, (change) => this.#relay(change))
  }

  get caller(): Caller {
    return this.#caller
  }

  /** What another process would have to know to go on with it. */
  get facts(): SessionFacts {
    const { principal, handshake } = this
    const { client, capabilities } = handshake.downstream
    const { logLevel } = this.#caller
    return {
      principal: { tenant: principal.tenant, id: principal.id },
      revision: handshake.revision.name,
      ...(client === undefined ? {} : { client }),
      declared: capabilities,
      offered: handshake.capabilities,
      ...(logLevel === undefined ? {} : { level: logLevel }),
      isConfirmed: this.#state === 'ready',
      watched: this.#subscriptions.watched,
    }
  }

  /** Goes on with what was another process's. What may have been missed meanwhile is told as a change. */
  restore({ level, isConfirmed, watched }: SessionFacts): void {
    if (level !== undefined) this.#setLevel(level)
    if (isConfirmed) this.#state = advance(this.#state, 'initialized')
    this.#subscriptions.restore(watched, isConfirmed)
  }

  /** Hears who sends what comes next: the same principal, whose token may be another by now. */
  meet(principal: Principal): void {
    if (principal !== this.#caller.principal) this.#caller = { ...this.#caller, principal }
  }

  request(frame: RequestFrame, way: Way): void {
    const { revision } = this.#caller
    try {
      switch (frame.method) {
        case 'initialize':
          this.#state = advance(this.#state, 'initialize')
          return
        case 'ping':
          way.answer({ text: encodeResult(frame.id, {}), status: 200 })
          return
        case 'logging/setLevel':
          this.#setLevel(parseLevel(this.handshake.capabilities, frame.params))
          this.#acknowledge(frame, way)
          return
        case 'resources/subscribe':
          this.#subscriptions.subscribe(frame.params).then(
            () => this.#acknowledge(frame, way),
            (error: unknown) => way.answer(toFailure(revision, frame.method, frame.id, error)),
          )
          return
        case 'resources/unsubscribe':
          this.#subscriptions.unsubscribe(frame.params)
          this.#acknowledge(frame, way)
          return
        default:
          this.calls.take(this.#open(frame, way))
      }
    } catch (error) {
      way.answer(toFailure(revision, frame.method, frame.id, error))
    }
  }

  notification(frame: NotificationFrame): void {
    if (frame.method === 'notifications/cancelled') {
      const { requestId } = frame.params
      if (typeof requestId === 'string' || typeof requestId === 'number') this.calls.cancel(requestId)
      return
    }
    if (frame.method === 'notifications/roots/list_changed') {
      const { principal, downstream } = this.#caller
      if (hasCapability(downstream.capabilities, 'roots')) this.#served.rootsChanged?.({ principal, downstream })
      return
    }
    if (frame.method !== 'notifications/initialized') return
    this.#state = advance(this.#state, 'initialized')
    for (const notification of this.#untold?.values() ?? []) this.#relay(notification)
    this.#untold = undefined
    this.#subscriptions.hearLists()
    void this.#changed?.()
  }

  /** Takes an answer of the client to what it was asked. False where nobody waits for it. */
  reply(frame: ReplyFrame): boolean {
    return this.#questions.settle(frame)
  }

  /** Ends what the session holds. Its open calls are for who closes it to end. */
  close(): void {
    this.#state = advance(this.#state, 'close')
    this.#subscriptions.close()
    this.#questions.end(new McpError('caller.cancelled', 'The session with the client has ended'))
  }

  /** Once it would outlive this process, where there are others. */
  #acknowledge({ id }: RequestFrame, way: Way): void {
    const kept = this.#changed?.()
    const answer = () => way.answer({ text: encodeResult(id, {}), status: 200 })
    if (kept === undefined) answer()
    else void kept.then(answer)
  }

  #open(frame: RequestFrame, way: Way): OpenCall {
    const opened = this.#tasks?.open(this.#caller, frame, way)
    if (opened !== undefined) return opened
    const codec = this.#codecOf(frame.method)
    return new OpenCall(this.#served, this.#caller, codec, frame, parseEnvelope(frame.params), way)
  }

  /** Only what the canonical model has too may reach the handle. */
  #codecOf(method: string): MethodCodec {
    const { revision, principal } = this.#caller
    const codec = revision.methods.get(method)
    const own = codec === undefined ? findOwnMethod(this.#served, method, principal) : undefined
    if (own !== undefined) return own
    if (codec === undefined || codec.descriptor.kind !== 'request' || !NEWEST.methods.has(method)) {
      throw unknownMethod(method, revision)
    }
    return codec
  }

  #setLevel(logLevel: LogLevel): void {
    this.#caller = { ...this.#caller, logLevel }
  }

  #relay(notification: Notification): void {
    const { method, params } = notification
    const codec = this.#caller.revision.methods.get(method)
    if (codec === undefined || this.#state === 'closed') return
    const topic = typeof params.uri === 'string' ? `${method} ${params.uri}` : method
    if (maySend(this.#state, method)) this.#tell(encodeNotification(method, codec.downParams(params)), topic)
    else {
      this.#untold ??= new Map()
      if (this.#untold.size < MAX_UNTOLD) this.#untold.set(topic, notification)
    }
  }
}

/** Changes kept for a client that has not confirmed the handshake yet. */
const MAX_UNTOLD = 1_024
