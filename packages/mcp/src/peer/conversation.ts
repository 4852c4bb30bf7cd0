import { McpError, toRpcError } from '../errors.ts'
import { encodeError, encodeResult } from '../jsonrpc/encode.ts'
import type { ErrorFrame, Frame, Id, JsonObject, NotificationFrame, RequestFrame, RpcError } from '../jsonrpc/frame.ts'
import type { FrameLimits } from '../jsonrpc/limits.ts'
import { isObject } from '../jsonrpc/members.ts'
import { FrameFault, parseMessage } from '../jsonrpc/parse.ts'
import { NO_INTERIM, type Notification, type Result } from '../protocol/call.ts'
import { type Cancellation, CancellationSource } from '../protocol/cancellation.ts'
import { type ClientCapabilities, hasCapability } from '../protocol/capabilities.ts'
import { type Outgoing, parseEnvelope, SUBSCRIPTION_ID } from '../protocol/envelope.ts'
import { isLogged, isLogLevel } from '../protocol/features/logging.ts'
import { toRelatedMeta, toRelatedTask } from '../protocol/features/tasks.ts'
import { METHODS } from '../protocol/methods.ts'
import { isRelayable, relay } from '../protocol/relayed-results.ts'
import type { Revision } from '../revisions/revision.ts'
import type { Clock } from './clock.ts'
import { HOP } from './outgoing.ts'
import { type Answer, type Came, Pending, type Waiting } from './pending.ts'

export interface ConversationOptions {
  /** Spoken until told otherwise. */
  readonly revision: Revision
  readonly clock: Clock
  readonly limits: FrameLimits
  /** Answers of at least so many bytes may be relayed without being parsed. Default: none. */
  readonly relayFromBytes?: number | undefined
  /** How long a request without a deadline waits; progress starts it anew. */
  readonly timeoutMs: number | (() => number)
  /** However much progress is heard, it waits no longer than this. Default: an hour, or `timeoutMs` where that is longer. */
  readonly maxMs?: number | (() => number) | undefined
  /** Most requests of ours in flight. */
  readonly maxInFlight: number
  /** What we declared: what a server asks beyond it is refused unheard. */
  readonly capabilities: ClientCapabilities
  /** Answers what the server asks and no call claims. */
  readonly ask: ((request: Notification, withdrawn: Cancellation) => Promise<Result>) | undefined
  readonly stray: ((notification: Notification) => void) | undefined
  readonly fault: ((reason: string, sample: string) => void) | undefined
  /** Sends an answer to a question of the server. */
  readonly reply: (text: string) => void
  /** A request was given up: tell the peer, let go of what carried it. */
  readonly abandon: (waiting: Waiting, reason: string) => void
}

/**
 * The client's side of one conversation, without its pipe: our requests in flight, and a home for everything that
 * arrives. Whoever owns the pipe hands in messages, with the request on whose stream they came where there is one.
 */
export class Conversation {
  readonly pending: Pending
  revision: Revision
  /** Hears of changes (`list_changed`, `resources/updated`) where the revision has no subscriptions to carry
   * them; undefined says that some may have been missed. */
  changed: ((notification: Notification | undefined) => void) | undefined
  readonly #options: ConversationOptions
  /** Questions of the server somebody thinks about: what is cancelled needs no answer any more. */
  readonly #questions = new Map<Id, Question>()
  /** Characters of the messages they came in: together no more than one message may have. */
  #questionSize = 0

  constructor(options: ConversationOptions) {
    this.#options = options
    this.revision = options.revision
    this.pending = new Pending({
      clock: options.clock,
      timeoutMs: options.timeoutMs,
      maxMs: options.maxMs,
      max: options.maxInFlight,
      abandon: (waiting, reason) => {
        for (const { home, withdrawn } of this.#questions.values()) if (home === waiting) withdrawn.cancel(reason)
        options.abandon(waiting, reason)
      },
    })
  }

  /**
   * Takes an answer as the bytes it came in, where its caller can do with a result that was not parsed.
   * @param pieces UTF-8, cut anywhere
   * @param size of all of it
   * @param home the request on whose own stream it came
   * @returns false for anything else: it is to be received as text
   */
  relay(pieces: readonly Uint8Array[], size: number, home?: Waiting): boolean {
    const { relayFromBytes = Number.POSITIVE_INFINITY, limits } = this.#options
    if (size < relayFromBytes || this.pending.size === 0) return false
    if (home !== undefined && !isRelayable(home.outgoing.method)) return false
    const answer = relay(pieces, limits)
    const waiting = this.pending.get(answer?.id)
    if (this.#isForeign(answer?.id, home)) return false
    if (answer === undefined || waiting === undefined || !isRelayable(waiting.outgoing.method)) return false
    return this.pending.settle(answer.id, { kind: 'result', result: answer.result })
  }

  /**
   * Takes one message, or a batch of them.
   * @param home the request on whose own stream it came
   * @param came with which HTTP status, where that says no
   * @returns why it could not be read, or undefined
   */
  receive(text: string, home?: Waiting, came?: Came): string | undefined {
    let message: Frame | readonly Frame[]
    try {
      message = parseMessage(text, this.#options.limits)
    } catch (error) {
      return this.#skip(error, text)
    }
    if (!Array.isArray(message)) {
      const frame = message as Frame // what is no batch, which TypeScript does not tell of readonly arrays
      // An answer nobody waits for comes late, after we gave up; the peer did nothing wrong.
      if (frame.kind !== 'result') this.#take(frame, home, text.length, came)
      else if (this.#isForeign(frame.id, home)) return this.#fault('Skipped an answer that is not to its request', text)
      else if (typeof frame.id === 'number') this.pending.settle(frame.id, frame)
      return undefined
    }
    if (!this.revision.traits.batching) return this.#fault('Skipped a batch, which this revision does not have', text)
    for (const frame of message) this.#take(frame, home, text.length, came)
    return undefined
  }

  /**
   * We are about to go: whatever the server still asks is refused, in time for the refusal to be read. A server that waits
   * for an answer may not notice the end of its input.
   */
  leave(): void {
    for (const [id, question] of this.#questions) {
      if (!question.isWanted) continue
      question.isWanted = false
      this.#options.reply(encodeError(id, toRpcError(leaving(), 'legacy')))
      question.withdrawn.cancel('The client is closing')
    }
  }

  /** @param size characters of the message it came in */
  #take(frame: Frame, home: Waiting | undefined, size: number, came: Came | undefined): void {
    switch (frame.kind) {
      case 'result':
        if (typeof frame.id === 'number') this.pending.settle(frame.id, frame)
        return
      case 'error':
        this.#fail(frame, home, came)
        return
      case 'notification':
        this.#hear(frame, home)
        return
      case 'request':
        this.#consider(frame, home, size)
        return
    }
  }

  /**
   * An answer on the stream of another request: where calls of many callers share a connection, and each has a stream of
   * its own, a server that mixes them up would tell one what is another's.
   */
  #isForeign(id: unknown, home: Waiting | undefined): boolean {
    return home !== undefined && id !== home.id && this.revision.traits.lifecycle === 'envelope'
  }

  #fail(frame: ErrorFrame, home: Waiting | undefined, came: Came | undefined): void {
    const { error } = frame
    const answer: Answer = { kind: 'error', error, ...came }
    const isForeign = frame.id !== undefined && this.#isForeign(frame.id, home)
    if (!isForeign && typeof frame.id === 'number' && this.pending.settle(frame.id, answer)) return
    // Errors about messages a server could not read come without our id, or with one it made up.
    const about = home ?? (frame.id === undefined ? this.#only() : undefined)
    if (about !== undefined) this.pending.settle(about.id, answer)
    else if (frame.id === undefined) this.#fault(`The server reports: ${error.message}`, '')
  }

  #hear(frame: NotificationFrame, home: Waiting | undefined): void {
    const { method } = frame
    if (method === 'notifications/progress') {
      this.#progress(frame.params)
      return
    }
    if (method === 'notifications/cancelled') {
      this.#cancelled(frame.params)
      return
    }
    const params = this.revision.methods.get(method)?.upParams(frame.params) ?? frame.params
    if (method === 'notifications/message') {
      this.#log({ method, params }, home)
      return
    }
    const subscription = isObject(params._meta) ? params._meta[SUBSCRIPTION_ID] : undefined
    const listener = this.pending.get(subscription) ?? (home?.outgoing.method === LISTEN ? home : undefined)
    if (listener !== undefined) {
      listener.outgoing.interim.notify({ method, params: withoutMeta(params, SUBSCRIPTION_ID) })
    } else if (CHANGES.has(method) && this.changed !== undefined) this.changed({ method, params })
    else this.#options.stray?.({ method, params })
  }

  #progress(params: JsonObject): void {
    const { progressToken, ...rest } = params
    const waiting = this.pending.get(progressToken)
    const { progress } = rest
    if (waiting === undefined || typeof progress !== 'number') return
    this.pending.touch(waiting)
    if (progress <= waiting.progress) return
    waiting.progress = progress
    if (waiting.outgoing.interim.progress) {
      waiting.outgoing.interim.notify({ method: 'notifications/progress', params: rest })
    }
  }

  /** The server takes back a question of its own, or ends a subscription. */
  #cancelled(params: JsonObject): void {
    const { requestId } = params
    const question = this.#questions.get(requestId as Id) // any other value finds nothing
    question?.withdrawn.cancel('The server took its question back')
    if (question !== undefined) question.isWanted = false
    const waiting = this.pending.get(requestId)
    if (waiting?.outgoing.method === LISTEN) this.pending.settle(waiting.id, { kind: 'result', result: {} })
  }

  #log(notification: Notification, home: Waiting | undefined): void {
    const wanted = (home ?? this.#only(mayHear))?.outgoing.interim
    const { level } = notification.params
    if (wanted?.logLevel === undefined || !isLogLevel(level)) this.#options.stray?.(notification)
    else if (isLogged(level, wanted.logLevel)) wanted.notify(notification)
  }

  #consider(frame: RequestFrame, home: Waiting | undefined, size: number): void {
    const { id, method } = frame
    if (!this.revision.traits.serverRequests) {
      this.#fault(`Skipped a request of the server for "${method}", which this revision does not have`, '')
      return
    }
    if (method === 'ping') {
      this.#options.reply(encodeResult(id, {}))
      return
    }
    const { maxBytes } = this.#options.limits
    const isTooMuch = this.#questions.size >= MAX_QUESTIONS || this.#questionSize + size > maxBytes
    if (isTooMuch || this.#questions.has(id)) {
      const error = new McpError(
        'policy.limit',
        `Cannot consider "${method}": too many questions are open, or too large ones`,
      )
      this.#options.reply(encodeError(id, toRpcError(error, 'legacy')))
      return
    }
    const question: Question = {
      home: home ?? this.#ofTask(frame.params) ?? this.#only(mayAsk) ?? this.#only(),
      withdrawn: new CancellationSource(),
      isWanted: true,
    }
    this.#questions.set(id, question)
    this.#questionSize += size
    void this.#think(frame, question).then((text) => {
      this.#questions.delete(id)
      this.#questionSize -= size
      if (question.isWanted) this.#options.reply(text)
    })
  }

  /** Finds an answer to a question of the server; never rejects. */
  async #think(frame: RequestFrame, { home, withdrawn }: Question): Promise<string> {
    const { id, method } = frame
    const { revision } = this
    if (home !== undefined) home.questions++
    try {
      const codec = revision.methods.get(method)
      if (codec === undefined || codec.descriptor.from === 'client') throw unknown(method)
      if (!hasCapability(this.#options.capabilities, codec.descriptor.feature)) throw unknown(method)
      const params = codec.upParams(toParams(frame.params))
      // A wish that we declared to hear reaches whoever answers; any other is ignored, as the revision says.
      const isTask = frame.params.task !== undefined && this.#mayBeTask(method)
      const request = { method, params: isTask ? { ...params, task: frame.params.task } : params }
      const answer = await this.#withinBounds(method, withdrawn, this.#answer(request, home, withdrawn))
      const taskId = toRelatedTask(frame.params)
      const named = taskId === undefined ? answer : { ...answer, _meta: toRelatedMeta(answer._meta, taskId) }
      return encodeResult(id, codec.downResult(named))
    } catch (error) {
      return encodeError(id, toRefusal(error) ?? revision.downError(toRpcError(error, 'legacy'), method))
    } finally {
      if (home !== undefined) {
        home.questions--
        this.pending.rest(home)
      }
    }
  }

  async #answer(request: Notification, home: Waiting | undefined, withdrawn: Cancellation): Promise<Result> {
    const { ask } = this.#options
    const interim = home?.outgoing.interim
    if (interim !== undefined && interim !== NO_INTERIM && interim !== HOP) {
      try {
        return await interim.ask(request, withdrawn)
      } catch (error) {
        const cannotAsk = error instanceof McpError && error.code === 'caller.missing_capability'
        if (!cannotAsk) throw error
      }
    }
    if (ask === undefined) throw unknown(request.method)
    return ask(request, withdrawn)
  }

  #withinBounds(method: string, withdrawn: CancellationSource, answer: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const fail = (reason: string) => {
        withdrawn.cancel(reason)
        reject(new McpError('upstream.timeout', reason))
      }
      const timer = this.#options.clock.setTimer(MAX_QUESTION_MS, () =>
        fail(`Nobody answered "${method}" for ${MAX_QUESTION_MS / 1000} s`),
      )
      answer.then(resolve, reject).finally(() => timer.cancel())
    })
  }

  #mayBeTask(method: string): boolean {
    const path = `tasks.requests.${method.replace('/', '.')}`
    return this.revision.traits.tasks === 'core' && hasCapability(this.#options.capabilities, path)
  }

  /** The request that waits for the task a question belongs to. */
  #ofTask(params: JsonObject): Waiting | undefined {
    const taskId = toRelatedTask(params)
    if (taskId === undefined) return undefined
    return this.pending
      .entries()
      .find(({ outgoing: { method, params: sent } }) => method === 'tasks/result' && sent.taskId === taskId)
  }

  /** The one call in flight, of those that it may be, where there is exactly one: then what arrives can only belong to it. */
  #only(isOne: (outgoing: Outgoing) => boolean = () => true): Waiting | undefined {
    let only: Waiting | undefined
    for (const waiting of this.pending.entries()) {
      const { outgoing } = waiting
      if (outgoing.method === LISTEN || outgoing.interim === HOP || !isOne(outgoing)) continue
      if (only !== undefined) return undefined
      only = waiting
    }
    return only
  }

  #skip(error: unknown, text: string): string {
    if (!(error instanceof FrameFault)) throw error
    const id = error.idText === undefined ? undefined : Number(error.idText)
    const failure = new McpError('upstream.protocol', `Cannot read the answer of the server: ${error.message}`)
    if (id !== undefined) this.pending.fail(id, failure)
    return this.#fault(error.message, text)
  }

  #fault(reason: string, text: string): string {
    this.#options.fault?.(reason, text.slice(0, MAX_SAMPLE))
    return reason
  }
}

interface Question {
  /** The request of ours it was asked on behalf of. */
  readonly home: Waiting | undefined
  readonly withdrawn: CancellationSource
  /** False once the server said that it needs no answer. */
  isWanted: boolean
}

/** Of several calls only one of these has a reason to ask something: a list needs nobody's answer. */
function mayAsk({ method }: Outgoing): boolean {
  return METHODS.get(method)?.mayAsk === true
}

/** A list that is read with nobody to hear says nothing about whose a message is. */
function mayHear(outgoing: Outgoing): boolean {
  return outgoing.interim !== NO_INTERIM || mayAsk(outgoing)
}

function leaving(): McpError {
  return new McpError('caller.cancelled', 'The client is closing and will not answer')
}

function unknown(method: string): McpError {
  return new McpError('caller.unsupported_feature', `Cannot answer "${method}": this client does not offer it`)
}

/** Whoever was asked in our stead refused in words of their own, which are those the server expects. */
function toRefusal(error: unknown): RpcError | undefined {
  if (!(error instanceof McpError) || error.code !== 'caller.unanswered' || !isObject(error.data)) return undefined
  const { code, reason } = error.data
  return Number.isInteger(code) && typeof reason === 'string' ? { code: code as number, message: reason } : undefined
}

/** Params without the keys of `_meta` that belong to the hop. */
function toParams(params: JsonObject): JsonObject {
  if (params._meta === undefined) return params
  const { _meta, ...rest } = params
  const { meta } = parseEnvelope(params)
  return Object.keys(meta).length === 0 ? rest : { ...rest, _meta: meta }
}

function withoutMeta(params: JsonObject, key: string): JsonObject {
  const { _meta, ...rest } = params
  if (!isObject(_meta)) return rest
  const { [key]: _, ...meta } = _meta
  return Object.keys(meta).length === 0 ? rest : { ...rest, _meta: meta }
}

const LISTEN = 'subscriptions/listen'
const CHANGES: ReadonlySet<string> = new Set([
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
  'notifications/resources/updated',
])

/** Questions of one server that may be open at once. */
const MAX_QUESTIONS = 256
/** How long somebody may think about a question of the server. */
const MAX_QUESTION_MS = 600_000
/** How much of a message that cannot be read is shown to whoever hears of faults. */
const MAX_SAMPLE = 200
