import { McpError } from '../errors.ts'
import { encodeNotification, encodeRequest } from '../jsonrpc/encode.ts'
import type { Id, JsonObject, ReplyFrame, RpcError } from '../jsonrpc/frame.ts'
import { shown } from '../jsonrpc/shown.ts'
import type { Notification, Result } from '../protocol/call.ts'
import type { Cancellation } from '../protocol/cancellation.ts'
import type { ClientCapabilities } from '../protocol/capabilities.ts'
import { checkMayAsk, lacking } from '../protocol/features/asking.ts'
import type { MethodCodec, Revision } from '../revisions/revision.ts'
import type { Clock, Timer } from './clock.ts'

/** On whose behalf a client is asked. */
export interface Asker {
  /** Sends a message where this one's client reads it; false where nothing carries it any more. */
  send(text: string): boolean
}

export interface QuestionsOptions {
  readonly clock: Clock
  readonly revision: Revision
  /** What the client declared, in the newest words. */
  readonly capabilities: ClientCapabilities
  /** How long somebody may think about one question. */
  readonly timeoutMs: number
  /** Most questions open at once. */
  readonly max: number
  /** Says something that belongs to no call; `topic` is the same for what makes an earlier one needless. */
  readonly tell: (text: string, topic: string) => void
}

interface Question {
  readonly id: number
  readonly method: string
  readonly codec: MethodCodec
  readonly asker: Asker
  readonly overdue: Timer
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * What a server has asked the client of one conversation and not heard yet, where the revision lets servers send
 * requests. Ids are never used twice; an answer that nobody waits for, late or for the second time, changes nothing.
 */
export class Questions {
  readonly #options: QuestionsOptions
  /** Made with the first: most clients are never asked anything. */
  #open: Map<Id, Question> | undefined
  #lastId = 0
  #ended: McpError | undefined

  constructor(options: QuestionsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#open?.size ?? 0
  }

  /**
   * Asks, and resolves with the answer in the newest words.
   * @param withdrawn happens when the answer is not wanted any more
   * @throws {McpError} `caller.missing_capability` for what the client did not declare or its revision cannot say,
   *   `caller.unanswered` where it refuses or takes too long, `policy.limit` where too much is open already
   */
  ask(asker: Asker, request: Notification, withdrawn?: Cancellation): Promise<Result> {
    return new Promise((resolve, reject) => {
      const { codec, params } = this.#toOutgoing(request) // what it throws rejects
      const { method } = request
      const id = ++this.#lastId
      if (!asker.send(encodeRequest(id, method, params)))
        throw unanswered(method, 'nothing reaches the client any more')
      const { clock, timeoutMs } = this.#options
      const overdue = clock.setTimer(timeoutMs, () =>
        this.#withdraw(id, unanswered(method, `nobody did within ${timeoutMs / 1000} s`)),
      )
      this.#open ??= new Map()
      this.#open.set(id, { id, method, codec, asker, overdue, resolve, reject })
      withdrawn?.watch({ cancelled: () => this.#withdraw(id, notWanted(method)) })
    })
  }

  /** Takes an answer. False where nobody waits for it. */
  settle(frame: ReplyFrame): boolean {
    const question = frame.id === undefined ? undefined : this.#close(frame.id)
    if (question === undefined) return false
    const { method, codec, resolve, reject } = question
    if (frame.kind === 'result') resolve(codec.upResult(frame.result))
    else reject(refused(method, frame.error))
    return true
  }

  /** Tells the client that a visit it was asked for is over, after the call that asked for it. */
  complete(params: JsonObject): void {
    const method = 'notifications/elicitation/complete'
    const codec = this.#options.revision.methods.get(method)
    if (codec === undefined || this.#ended !== undefined) return
    this.#options.tell(encodeNotification(method, codec.downParams(params)), `${method} ${params.elicitationId}`)
  }

  /** Takes back what was asked on behalf of one. */
  withdraw(asker: Asker, error: McpError): void {
    for (const question of this.#all()) if (question.asker === asker) this.#withdraw(question.id, error)
  }

  /** The conversation is over: takes back all, and refuses whatever comes. */
  end(error: McpError): void {
    this.#ended = error
    for (const { id } of this.#all()) this.#withdraw(id, error)
  }

  #toOutgoing(request: Notification): { readonly codec: MethodCodec; readonly params: JsonObject } {
    const { revision, capabilities, max } = this.#options
    const { method } = request
    if (this.#ended !== undefined) throw this.#ended
    const codec = revision.methods.get(method)
    if (codec === undefined) throw notInRevision(revision, request)
    const params = codec.downParams(request.params) // throws for a kind of question that the revision lacks
    checkMayAsk(capabilities, request)
    if (this.size >= max) {
      throw new McpError('policy.limit', `Cannot ask the client for "${method}": ${max} questions are open already`)
    }
    return { codec, params: this.#named(params) }
  }

  /** Where a client is told later that it is done with a page, the page has a name. */
  #named(params: JsonObject): JsonObject {
    if (params.mode !== 'url' || params.elicitationId !== undefined) return params
    if (!this.#options.revision.methods.has('notifications/elicitation/complete')) return params
    return { ...params, elicitationId: crypto.randomUUID() }
  }

  #withdraw(id: Id, error: McpError): void {
    const question = this.#close(id)
    if (question === undefined) return
    question.asker.send(encodeNotification('notifications/cancelled', { requestId: id, reason: error.message }))
    question.reject(error)
  }

  #all(): readonly Question[] {
    return this.#open === undefined ? [] : [...this.#open.values()]
  }

  #close(id: Id): Question | undefined {
    const question = this.#open?.get(id)
    this.#open?.delete(id)
    question?.overdue.cancel()
    return question
  }
}

/**
 * Refuses a question that the revision of a caller has not, where it is asked by request. To be asked first: such a
 * revision cannot declare what it takes either, whatever its client could do.
 * @throws {McpError} `caller.missing_capability`
 */
export function checkInRevision(revision: Revision | undefined, request: Notification): void {
  if (revision === undefined || !revision.traits.serverRequests) return
  const codec = revision.methods.get(request.method)
  if (codec === undefined) throw notInRevision(revision, request)
  codec.downParams(request.params)
}

function notInRevision({ name }: Revision, request: Notification): McpError {
  return lacking(request, `its revision, ${name}, does not have that`)
}

function refused(method: string, { code, message }: RpcError): McpError {
  const reason = shown(message)
  return new McpError('caller.unanswered', `The client did not answer "${method}": ${reason}`, {
    data: { reason, code },
  })
}

function notWanted(method: string): McpError {
  return new McpError('caller.cancelled', `The answer to "${method}" is not wanted any more`)
}

function unanswered(method: string, why: string): McpError {
  return new McpError('caller.unanswered', `The client did not answer "${method}": ${why}`)
}
