import { McpError } from '../errors.ts'
import { encodeNotification } from '../jsonrpc/encode.ts'
import type { Id, JsonObject, RequestFrame } from '../jsonrpc/frame.ts'
import { Relayed, toPieces, withMember } from '../jsonrpc/relayed.ts'
import type { Call, Downstream, Notification, Origin, Principal, Result } from '../protocol/call.ts'
import { type Cancellation, CancellationSource } from '../protocol/cancellation.ts'
import {
  checkEnvelope,
  type Envelope,
  PROTOCOL_VERSION,
  type ProgressToken,
  parseEnvelope,
  SERVER_INFO,
  SUBSCRIPTION_ID,
} from '../protocol/envelope.ts'
import type { LogLevel } from '../protocol/features/logging.ts'
import { NEEDS_TASKS, toTaskWish } from '../protocol/features/tasks.ts'
import { type KeptText, type KeptTexts, keptTexts } from '../protocol/kept.ts'
import { NEWEST } from '../revisions/index.ts'
import type { MethodCodec, Revision } from '../revisions/revision.ts'
import type { Held } from './held.ts'
import { unknownMethod } from './membership.ts'
import { findOwnMethod } from './own-methods.ts'
import type { Questions } from './questions.ts'
import { Pieces, type Reply, type Tail, toFailure } from './reply.ts'
import { type Served, unsupportedRevision } from './served.ts'
import { CallVoice, ListenVoice, type Voice } from './voice.ts'

/** Who sends a request: the same for all of a session, made anew from each envelope. */
export interface Caller {
  readonly revision: Revision
  readonly principal: Principal
  readonly downstream: Downstream
  readonly logLevel: LogLevel | undefined
  /** Where its revision lets it be asked while its call is open: what it was asked. */
  readonly questions: Questions | undefined
}

/** The way back to the sender of one request, and what is known of the way it came. */
export interface Way extends Origin {
  /** A notification on the request's own stream, as text. Dropped where it cannot be carried. */
  notify(text: string): void
  /** Whether `send` can carry anything. */
  readonly canSend: boolean
  /** A message that must arrive: a question, or that one is taken back. False where nothing carries it. */
  send(text: string): boolean
  /** Lets the connection go for a while, where it can be found again. */
  pause?(retryMs?: number): void
  /** The response, or undefined where the sender cancelled and expects none. Comes once, and last. */
  answer(answer: Reply | undefined): void
}

/** Its deadline moves on when its caller was asked something. */
interface MovingCall extends Call {
  deadline: number | undefined
}

/** Told when a call is over, whichever way. */
export interface Keeper {
  leave(call: OpenCall): void
}

/**
 * One request at work: from the frame to the answer, and everything that may end it earlier.
 *
 * This is the middle of the hot path, so it makes few objects and calls few functions: fields are set in the
 * constructor, what most calls do not need (a voice) is made when they do, and the newest revision, which is what
 * is spoken inside, is not converted.
 */
export class OpenCall {
  readonly call: MovingCall
  readonly id: Id
  readonly isListening: boolean
  isOver: boolean
  isRunning: boolean
  /** Questions to its caller that are open. */
  asking: number
  /** Its deadline has moved. */
  hasAsked: boolean
  /** Where its keeper finds it. */
  key: Id
  /** What must be found out before it runs, where that takes time; it is refused with what this throws. */
  before: (() => Promise<void>) | undefined
  /** Emptied by its keeper when it leaves. */
  held: Held<OpenCall> | undefined
  keeper: Keeper | undefined
  readonly #served: Served
  readonly caller: Caller
  readonly #codec: MethodCodec
  readonly #progressToken: ProgressToken | undefined
  readonly #way: Way
  readonly #cancellation: CancellationSource
  #voice: Voice | undefined

  constructor(served: Served, caller: Caller, codec: MethodCodec, frame: RequestFrame, envelope: Envelope, way: Way) {
    const { _meta, ...bare } = frame.params
    this.id = frame.id
    this.key = frame.id
    this.before = undefined
    this.held = undefined
    this.keeper = undefined
    this.isOver = false
    this.isRunning = false
    this.asking = 0
    this.hasAsked = false
    this.isListening = frame.method === LISTEN
    this.#served = served
    this.caller = caller
    this.#codec = codec
    this.#progressToken = envelope.progressToken
    this.#way = way
    this.#cancellation = new CancellationSource()
    this.#voice = undefined
    const canAsk = caller.questions !== undefined && way.canSend && !this.isListening
    this.call = {
      method: frame.method,
      params: caller.revision === NEWEST ? bare : codec.upParams(bare),
      meta: envelope.meta,
      principal: caller.principal,
      downstream: caller.downstream,
      cancellation: this.#cancellation,
      deadline: this.isListening ? undefined : served.clock.now() + served.callTimeoutMs,
      trace: undefined,
      id: frame.id,
      origin: way,
      interim: {
        progress: envelope.progressToken !== undefined && !this.isListening,
        canAsk,
        logLevel: this.isListening ? undefined : caller.logLevel,
        notify: (notification) => this.#notify(notification),
        ask: canAsk ? (request, withdrawn) => this.#ask(request, withdrawn) : refuseToAsk,
        pause: caller.revision.traits.priming ? (retryMs) => this.#pause(retryMs) : undefined,
      },
    }
  }

  async run(): Promise<void> {
    this.isRunning = true
    try {
      if (this.before !== undefined) {
        await this.before()
        if (this.isOver) return
      }
      const { handle, sessionHandle } = this.#served
      const result = await (this.caller.questions === undefined ? handle : sessionHandle)(this.call)
      if (!this.isOver) this.#end(this.#toAnswer(result), undefined)
    } catch (error) {
      // What a handler returned may not be JSON either: too deep, circular, a bigint.
      this.fail(error)
    }
  }

  /** Ends it with an error as its answer. */
  fail(error: unknown): void {
    if (this.isOver) return
    const { method } = this.call
    if (!(error instanceof McpError)) this.#served.log('error', 'call.failed', { method, error })
    this.#end(toFailure(this.caller.revision, method, this.id, error), error)
  }

  /** Ends it without an answer: its sender cancelled it or is gone. */
  drop(reason: McpError): void {
    if (!this.isOver) this.#end(undefined, reason)
  }

  /** Ends a listening call in order, because we close. */
  finish(): void {
    if (!this.isOver) this.#end(this.#toAnswer({}), undefined)
  }

  #end(answer: Reply | undefined, reason: unknown): void {
    this.isOver = true
    if (this.asking > 0) this.caller.questions?.withdraw(this, asksNoMore())
    try {
      this.#way.answer(answer)
    } catch (error) {
      this.#served.log('error', 'answer.failed', { method: this.call.method, error })
    }
    this.keeper?.leave(this)
    // After the answer, so that what the handler does about it cannot come before. A listener holds on to nothing else.
    if (reason !== undefined || this.isListening) this.#cancellation.cancel(reason)
  }

  /**
   * The response that carries the result, in the caller's revision. What the revision requires and the result
   * lacks goes in as text in front: copying a result to add to it costs more than serialising it.
   */
  #toAnswer(given: Result): Reply {
    const { revision } = this.caller
    const { descriptor } = this.#codec
    if (typeof given !== 'object' || given === null) throw noResult(descriptor.name)
    const texts = descriptor.listKey === undefined ? undefined : keptTexts(given)
    const known = texts?.get(this.#codec)
    if (known !== undefined && known.stamp === this.#served.stamp) return this.#toReply(known)
    const resultType = given.resultType ?? 'complete'
    if (resultType !== 'complete') checkResultType(this.caller, this.#codec, resultType)
    let result = this.isListening || descriptor.name === DISCOVER ? this.#toOwnResult(given) : given
    let lead = ''
    if (revision.traits.resultType) {
      if (result.resultType === undefined) lead = '"resultType":"complete",'
      if (revision.traits.cacheHints && descriptor.cacheable === true && resultType === 'complete') {
        if (result.ttlMs === undefined) lead += '"ttlMs":0,'
        if (result.cacheScope === undefined) lead += '"cacheScope":"private",'
      }
      if (result._meta === undefined) lead += this.#served.stamp
      else result = withMember(result, '_meta', { ...result._meta, [SERVER_INFO]: this.#served.serverInfo })
    }
    const said = revision === NEWEST ? result : this.#codec.downResult(result)
    if (said instanceof Relayed) return this.#toReply(new Pieces(toPieces(said, lead, '}')))
    const body = JSON.stringify(said)
    // Every part of the lead ends with a comma, which an empty body must not have in front.
    const text = lead === '' ? body : `{${body === '{}' ? lead.slice(0, -1) : lead}${body.slice(1)}`
    if (texts !== undefined) return this.#toReply(this.#keep(texts, `${text}}`))
    return { text: `{"jsonrpc":"2.0","id":${JSON.stringify(this.id)},"result":${text}}`, status: 200 }
  }

  #keep(texts: KeptTexts, text: string): KeptText {
    const known = { stamp: this.#served.stamp, text, pieces: [new TextEncoder().encode(text)] }
    texts.set(this.#codec, known)
    return known
  }

  #toReply(tail: Tail): Reply {
    return { text: `{"jsonrpc":"2.0","id":${JSON.stringify(this.id)},"result":`, tail, status: 200 }
  }

  /** What of a result is ours to say: which subscription ends, and which revisions are spoken here. */
  #toOwnResult(result: Result): Result {
    if (this.isListening) return { ...result, _meta: { ...result._meta, [SUBSCRIPTION_ID]: this.id } }
    this.#served.introduce()
    return { ...result, supportedVersions: [...this.#served.envelopes.keys()] }
  }

  /** For what is asked on behalf of this call. */
  send(text: string): boolean {
    return this.#way.send(text)
  }

  /** No deadline passes while somebody thinks, and the work that follows has all of its time. */
  async #ask(request: Notification, withdrawn: Cancellation | undefined): Promise<Result> {
    const { questions } = this.caller
    if (questions === undefined) return refuseToAsk(request)
    if (this.isOver) throw asksNoMore()
    this.asking++
    this.hasAsked = true
    try {
      return await questions.ask(this, request, withdrawn)
    } finally {
      this.asking--
      this.call.deadline = this.#served.clock.now() + this.#served.callTimeoutMs
    }
  }

  #pause(retryMs: number | undefined): void {
    if (!this.isOver) this.#way.pause?.(retryMs)
  }

  #notify(notification: Notification): void {
    if (this.isOver) {
      // A person in a browser takes longer than a call.
      if (notification.method === COMPLETE) this.caller.questions?.complete(notification.params)
      return
    }
    this.#voice ??= this.isListening
      ? new ListenVoice(this.id, toFilter(this.call.params))
      : new CallVoice(this.#progressToken, this.caller.logLevel)
    const codec = this.caller.revision.methods.get(notification.method)
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

/** Holds what a transport says beside the body against the body, where the revision has such; throws if they differ. */
export type CheckMirrored<H> = (frame: RequestFrame, codec: MethodCodec | undefined, mirrored: H) => void

/**
 * Opens the call of a request that carries its own envelope. What is wrong with it is answered, and there is no
 * call then. The order of the checks is that of PROTOCOL §6.4, which clients depend on.
 */
export function openEnveloped(served: Served, frame: RequestFrame, principal: Principal, way: Way): OpenCall | undefined
export function openEnveloped<H>(
  served: Served,
  frame: RequestFrame,
  principal: Principal,
  way: Way,
  check: CheckMirrored<H>,
  mirrored: H,
): OpenCall | undefined
export function openEnveloped<H>(
  served: Served,
  frame: RequestFrame,
  principal: Principal,
  way: Way,
  check?: CheckMirrored<H>,
  mirrored?: H,
): OpenCall | undefined {
  let revision: Revision | undefined
  try {
    // The caller has seen that the key is there; its value may still be anything.
    const version = (frame.params._meta as JsonObject | undefined)?.[PROTOCOL_VERSION]
    if (typeof version !== 'string') throw versionNotText()
    revision = served.envelopes.get(version)
    if (revision === undefined) throw unsupportedRevision(served, version)
    const envelope = parseEnvelope(frame.params)
    checkEnvelope(envelope)
    const codec = revision.methods.get(frame.method) ?? findOwnMethod(served, frame.method, principal)
    // The overloads give both or neither.
    if (check !== undefined && revision.traits.standardHeaders) check(frame, codec, mirrored as H)
    if (codec === undefined || codec.descriptor.kind !== 'request') throw unknownMethod(frame.method, revision)
    const downstream = {
      revision: revision.name,
      client: envelope.client,
      capabilities: envelope.capabilities ?? NO_CAPABILITIES,
      session: undefined,
    }
    const caller = { revision, principal, downstream, logLevel: envelope.logLevel, questions: undefined }
    return new OpenCall(served, caller, codec, frame, envelope, way)
  } catch (error) {
    way.answer(toFailure(revision ?? NEWEST, frame.method, frame.id, error))
    return undefined
  }
}

function versionNotText(): McpError {
  return new McpError('caller.invalid_envelope', `Cannot read "_meta" key "${PROTOCOL_VERSION}": it is not a string`)
}

function noResult(method: string): McpError {
  return new McpError('internal.error', `Cannot answer "${method}": its handler gave no result`)
}

function checkResultType({ revision, downstream }: Caller, codec: MethodCodec, resultType: string): void {
  const { name, mayAsk } = codec.descriptor
  if (resultType === 'task') {
    // Only a caller who declared with this very request that it knows tasks may be given one.
    if (name === 'tools/call' && toTaskWish(downstream.capabilities) !== undefined) return
    throw new McpError('caller.missing_capability', `Cannot answer "${name}" with a task: the caller knows none`, {
      data: NEEDS_TASKS,
    })
  }
  if (revision.traits.resultType && (resultType !== 'input_required' || mayAsk === true)) return
  throw new McpError(
    'caller.missing_capability',
    `Cannot answer "${name}" with "${resultType}": a caller of revision ${revision.name} would not understand it`,
  )
}

function toFilter({ notifications }: JsonObject): JsonObject {
  return typeof notifications === 'object' && notifications !== null ? (notifications as JsonObject) : {}
}

function refuseToAsk(request: Notification): Promise<Result> {
  return Promise.reject(
    new McpError('caller.missing_capability', `Cannot ask the caller for "${request.method}": nothing carries it back`),
  )
}

function asksNoMore(): McpError {
  return new McpError('caller.cancelled', 'The call that asked is over')
}

const NO_CAPABILITIES = Object.freeze({})
const LISTEN = 'subscriptions/listen'
const DISCOVER = 'server/discover'
const COMPLETE = 'notifications/elicitation/complete'
