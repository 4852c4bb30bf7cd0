import { McpError } from '../errors.ts'
import { encodeNotification } from '../jsonrpc/encode.ts'
import type { Id, JsonObject, RequestFrame } from '../jsonrpc/frame.ts'
import type { Call, Downstream, Notification, Params, Principal, Result } from '../protocol/call.ts'
import { CancellationSource } from '../protocol/cancellation.ts'
import { type Envelope, SUBSCRIPTION_ID } from '../protocol/envelope.ts'
import type { LogLevel } from '../protocol/features/logging.ts'
import type { MethodCodec, Revision } from '../revisions/revision.ts'
import { type Reply, toAnswer, toFailure } from './reply.ts'
import type { Served } from './served.ts'
import { CallVoice, ListenVoice, type Voice } from './voice.ts'

/** Who sends a request: the same for all of a session, made anew from each envelope. */
export interface Caller {
  readonly revision: Revision
  readonly principal: Principal
  readonly downstream: Downstream
  readonly logLevel: LogLevel | undefined
}

/** The way back to the sender of one request. */
export interface Way {
  /** A notification on the request's own stream, as text. Dropped where it cannot be carried. */
  notify(text: string): void
  /** The response, or undefined where the sender cancelled and expects none. Comes once, and last. */
  answer(answer: Reply | undefined): void
}

/** Told when a call is over, whichever way. */
export interface Keeper {
  leave(call: OpenCall): void
}

/** One request at work: from the frame to the answer, and everything that may end it earlier. */
export class OpenCall {
  readonly call: Call
  readonly id: Id
  readonly isListening: boolean
  /** Where its keeper finds it. */
  key: unknown
  keeper: Keeper | undefined
  isRunning = false
  readonly #served: Served
  readonly #revision: Revision
  readonly #codec: MethodCodec
  readonly #way: Way
  readonly #voice: Voice
  readonly #cancellation = new CancellationSource()
  #isOver = false

  constructor(served: Served, caller: Caller, codec: MethodCodec, frame: RequestFrame, envelope: Envelope, way: Way) {
    const { id, method } = frame
    const params = codec.upParams(withoutMeta(frame.params))
    this.id = id
    this.key = this
    this.isListening = method === LISTEN
    this.#served = served
    this.#revision = caller.revision
    this.#codec = codec
    this.#way = way
    this.#voice = this.isListening
      ? new ListenVoice(id, toFilter(params))
      : new CallVoice(envelope.progressToken, caller.logLevel)
    this.call = {
      method,
      params,
      meta: envelope.meta,
      principal: caller.principal,
      downstream: caller.downstream,
      cancellation: this.#cancellation,
      deadline: this.isListening ? undefined : served.clock.now() + served.callTimeoutMs,
      trace: undefined,
      interim: {
        progress: envelope.progressToken !== undefined && !this.isListening,
        logLevel: this.isListening ? undefined : caller.logLevel,
        notify: (notification) => this.#notify(notification),
        ask: refuseToAsk,
      },
    }
  }

  get isOver(): boolean {
    return this.#isOver
  }

  run(): void {
    this.isRunning = true
    try {
      this.#served.handle(this.call).then(
        (result) => this.#resolve(result),
        (error) => this.fail(error),
      )
    } catch (error) {
      this.fail(error)
    }
  }

  /** Ends it with an error as its answer. */
  fail(error: unknown): void {
    if (this.#isOver) return
    if (!(error instanceof McpError)) {
      this.#served.log('error', 'call.failed', { method: this.call.method, error })
    }
    this.#end(toFailure(this.#revision, this.call.method, this.id, error), error)
  }

  /** Ends it without an answer: its sender cancelled it or is gone. */
  drop(reason: McpError): void {
    if (!this.#isOver) this.#end(undefined, reason)
  }

  /** Ends a listening call in order, because we close. */
  finish(): void {
    this.#resolve({})
  }

  #resolve(result: Result): void {
    if (this.#isOver) return
    try {
      const full = this.isListening ? { ...result, _meta: { ...result._meta, [SUBSCRIPTION_ID]: this.id } } : result
      this.#end(toAnswer(this.#served, this.#revision, this.#codec, this.id, full), undefined)
    } catch (error) {
      // What a handler returned may not be JSON: too deep, circular, a bigint.
      this.fail(error)
    }
  }

  #end(answer: Reply | undefined, reason: unknown): void {
    this.#isOver = true
    this.#way.answer(answer)
    this.keeper?.leave(this)
    // After the answer, so that what the handler does about it cannot come before. A listener holds on to nothing else.
    if (reason !== undefined || this.isListening) this.#cancellation.cancel(reason)
  }

  #notify(notification: Notification): void {
    if (this.#isOver) return
    const codec = this.#revision.methods.get(notification.method)
    const params = codec === undefined ? undefined : this.#voice.toParams(notification)
    if (codec === undefined || params === undefined) return
    let text: string
    try {
      text = encodeNotification(notification.method, codec.downParams(params))
    } catch (error) {
      this.#served.log('error', 'notification.failed', { method: notification.method, error })
      return
    }
    this.#way.notify(text)
  }
}

/** Every member but `_meta`, which each hop writes anew. */
function withoutMeta(params: JsonObject): Params {
  if (params._meta === undefined) return params
  const { _meta, ...rest } = params
  return rest
}

function toFilter(params: Params): JsonObject {
  const { notifications } = params
  return typeof notifications === 'object' && notifications !== null ? (notifications as JsonObject) : {}
}

function refuseToAsk(request: Notification): Promise<Result> {
  return Promise.reject(
    new McpError('caller.missing_capability', `Cannot ask the caller for "${request.method}": nothing carries it back`),
  )
}

const LISTEN = 'subscriptions/listen'
