import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { isObject, without } from '../../jsonrpc/members.ts'
import { shown } from '../../jsonrpc/shown.ts'
import type { Clock, Timer } from '../../peer/clock.ts'
import type { Call, Handle, Interim, Notification, Result } from '../../protocol/call.ts'
import { type Cancellation, CancellationSource } from '../../protocol/cancellation.ts'
import { checkMayAsk } from '../../protocol/features/asking.ts'
import { takeQuestionKey } from '../../protocol/question-key.ts'
import { type Ongoing, type Parking, Rounds } from '../parking/rounds.ts'

export interface ExchangeOptions {
  readonly parking: Parking
  readonly clock: Clock
  /** Answers to questions that have a key of their own, brought before anything was asked. */
  readonly early?: JsonObject
  /** How long others that the server asks at the same time are waited for, in milliseconds. */
  readonly windowMs: number
}

interface OpenQuestion {
  readonly request: Notification
  readonly resolve: (answer: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * One call to a server that asks by requests of its own, made for a caller who is asked by results (PROTOCOL §15.6). The
 * call stays open while its caller thinks, and speaks to whoever of the caller's requests is there.
 */
export class Exchange implements Ongoing {
  readonly rounds: Rounds
  readonly #handle: Handle
  readonly #first: Call
  readonly #options: ExchangeOptions
  readonly #given: CancellationSource = new CancellationSource()
  readonly #open = new Map<string, OpenQuestion>()
  /** The request of the caller that is spoken to. */
  #call: Call
  #asked = 0
  /** Those that may still be used: once the caller was asked, it answers what it was asked. */
  readonly #early: Map<string, unknown>
  /** Rings when all questions that came together are known. */
  #window: Timer | undefined

  constructor(handle: Handle, call: Call, options: ExchangeOptions) {
    this.#handle = handle
    this.#first = call
    this.#call = call
    this.#options = options
    this.#early = new Map(Object.entries(options.early ?? {}))
    this.rounds = new Rounds(options.parking, call, this)
  }

  get questions(): JsonObject {
    return Object.fromEntries(Array.from(this.#open, ([key, { request }]) => [key, toInputRequest(request)]))
  }

  async begin(): Promise<Result> {
    const interim = new ExchangeInterim(
      () => this.#call.interim,
      (request, withdrawn) => this.#ask(request, withdrawn),
    )
    try {
      return await this.#handle({ ...this.#first, cancellation: this.#given, deadline: undefined, interim })
    } finally {
      this.#dismiss() // what the server asked and did not wait for
    }
  }

  async read(responses: JsonObject): Promise<() => void> {
    const answers: (readonly [string, Result])[] = []
    for (const [key, { request }] of this.#open) {
      if (Object.hasOwn(responses, key)) answers.push([key, parseAnswer(key, request.method, responses[key])])
    }
    return () => {
      for (const [key, answer] of answers) {
        this.#open.get(key)?.resolve(answer)
        this.#open.delete(key)
      }
      this.#gather()
    }
  }

  speakTo(call: Call): void {
    this.#call = call
  }

  giveUp(reason: unknown): void {
    this.#dismiss()
    this.#given.cancel(reason)
  }

  fail(error: unknown): void {
    this.giveUp(error)
  }

  #ask(asked: Notification, withdrawn: Cancellation | undefined): Promise<Result> {
    const [given, request] = takeQuestionKey(asked)
    checkMayAsk(this.#call.downstream.capabilities, request)
    if (this.#given.isCancelled || withdrawn?.isCancelled === true) throw unanswered(request.method)
    if (this.#open.size >= MAX_OPEN) {
      throw new McpError('policy.limit', `Cannot ask the client for "${shown(request.method)}": ${MAX_OPEN} are open`)
    }
    const early = given === undefined ? undefined : this.#takeEarly(given, request.method)
    if (early !== undefined) return Promise.resolve(early)
    const key = this.#toKey(given)
    return new Promise((resolve, reject) => {
      this.#open.set(key, { request, resolve, reject })
      const takeBack = () => {
        if (this.#open.delete(key)) reject(unanswered(request.method))
      }
      withdrawn?.watch({ cancelled: takeBack })
      this.#gather()
    })
  }

  /** Its own key where it has one that is free. */
  #toKey(given: string | undefined): string {
    if (given !== undefined && !this.#open.has(given)) return given
    let key: string
    do key = `ask-${++this.#asked}`
    while (this.#open.has(key))
    return key
  }

  /** An answer that came before its question; what is none to this question counts as not given. */
  #takeEarly(key: string, method: string): Result | undefined {
    const answer = this.#early.get(key)
    this.#early.delete(key)
    try {
      return answer === undefined ? undefined : parseAnswer(key, method, answer)
    } catch {
      return undefined
    }
  }

  /** Ends the round with what is open, once its siblings had time to arrive. */
  #gather(): void {
    if (this.#window !== undefined || this.#open.size === 0) return
    const { clock, windowMs } = this.#options
    this.#window = clock.setTimer(windowMs, () => {
      this.#window = undefined
      if (this.#open.size === 0) return
      this.#early.clear()
      this.rounds.wait()
    })
  }

  /** Answers what is open as somebody who has gone does: a form is closed, everything else fails. */
  #dismiss(): void {
    this.#window?.cancel()
    this.#window = undefined
    for (const { request, resolve, reject } of this.#open.values()) {
      if (request.method === 'elicitation/create') resolve({ action: 'cancel' })
      else reject(unanswered(request.method))
    }
    this.#open.clear()
  }
}

/** What the server behind says and asks, whichever request of the caller is there to hear it. */
class ExchangeInterim implements Interim {
  readonly canAsk = true
  readonly ask: Interim['ask']
  readonly #current: () => Interim

  constructor(current: () => Interim, ask: (request: Notification, withdrawn?: Cancellation) => Promise<Result>) {
    this.#current = current
    this.ask = async (request, withdrawn) => ask(request, withdrawn)
  }

  get progress(): boolean {
    return this.#current().progress
  }

  get logLevel(): Interim['logLevel'] {
    return this.#current().logLevel
  }

  notify(notification: Notification): void {
    this.#current().notify(notification)
  }
}

/** As a result asks it: pages have no id there, and nothing becomes a task. */
function toInputRequest({ method, params }: Notification): Notification {
  return { method, params: without(params, ['elicitationId', 'task']) }
}

/** @throws {McpError} `caller.invalid_params` for what is no answer to such a question */
function parseAnswer(key: string, method: string, answer: unknown): Result {
  const wanted = isObject(answer) ? ANSWERS[method]?.(answer) : 'an object'
  if (wanted === undefined) return answer as Result // an object, and of the right kind as far as we can tell
  throw new McpError('caller.invalid_params', `Cannot take the answer to "${shown(key)}": it is not ${wanted}`)
}

/** What an answer should have been, where it is not. */
const ANSWERS: Readonly<Record<string, (answer: JsonObject) => string | undefined>> = {
  'elicitation/create': ({ action }) =>
    action === 'accept' || action === 'decline' || action === 'cancel'
      ? undefined
      : 'one whose "action" is accept, decline or cancel',
  'sampling/createMessage': ({ role, content }) =>
    role === 'assistant' || (role === 'user' && content !== undefined)
      ? undefined
      : 'a message with "role" and "content"',
  'roots/list': ({ roots }) => (Array.isArray(roots) ? undefined : 'a list of "roots"'),
}

function unanswered(method: string): McpError {
  return new McpError('caller.unanswered', `Nobody will answer "${shown(method)}"`)
}

/** Questions of one call that are open at once. */
const MAX_OPEN = 64
