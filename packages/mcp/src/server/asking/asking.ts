import { digestOf, toCanonicalJson, toMark } from '../../bridge/parking/canonical.ts'
import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { checkInRevision } from '../../peer/questions.ts'
import type { Call, Notification } from '../../protocol/call.ts'
import { checkMayAsk } from '../../protocol/features/asking.ts'
import { withQuestionKey } from '../../protocol/question-key.ts'
import { findRevision } from '../../revisions/index.ts'
import { Suspended } from './errors.ts'
import { changedQuestion, NEW_RUN, type OpenQuestion, type RunState } from './rounds.ts'

/**
 * `replay`: the run ends at an unanswered question and begins anew with the answers. `parked`: it waits in memory.
 * Where the caller can be asked while its call is open, neither is needed.
 */
export type AskingMode = 'replay' | 'parked'

export interface AskingOptions {
  readonly mode: AskingMode
  /** What is remembered of earlier rounds. */
  readonly state?: RunState
  /** Answers that came with this request. */
  readonly responses?: JsonObject
  /** The state that came is none of ours: whoever asks in this call fails with this. */
  readonly refusal?: McpError
  /** Told in mode `parked` that questions are open, once all that are asked in one turn are known. */
  readonly waiting?: () => void
}

/** What one run of a handler asks, and what it remembers from run to run. */
export class Asking {
  /** In mode `parked` that of the latest round. */
  call: Call
  readonly open = new Map<string, OpenQuestion>()
  /** Where the caller can be asked at once: what is on its way. */
  readonly #sent = new Set<Notification>()
  /** Decides the call, whatever the handler made of it. */
  fault: unknown
  isSuspended = false
  readonly #options: AskingOptions
  readonly #state: RunState
  readonly #answered: Map<string, { readonly mark: string; readonly answer: unknown }>
  readonly #outstanding: ReadonlyMap<string, string>
  readonly #once = new Map<string, Promise<unknown>>()
  readonly #settled: Map<string, unknown>
  readonly #keys = new Set<string>()
  #ended: { readonly error: unknown } | undefined
  #count = 0
  #gathering = false

  constructor(call: Call, options: AskingOptions) {
    const { state = NEW_RUN } = options
    this.call = call
    this.#options = options
    this.#state = state
    this.#answered = new Map(state.a.map(([key, mark, answer]) => [key, { mark, answer }]))
    this.#outstanding = new Map(state.q)
    this.#settled = new Map(state.o.map(([key, value]) => [key, value]))
  }

  /**
   * Asks the caller, in whatever way its revision has.
   * @param parse reads an answer; what it throws is the caller's fault
   * @param given a name for the question; default: its place in the order of questions
   */
  async ask<T>(request: Notification, parse: (answer: unknown) => T | Promise<T>, given?: string): Promise<T> {
    const { call } = this
    if (call.interim.canAsk) checkInRevision(findRevision(call.downstream.revision), request)
    checkMayAsk(call.downstream.capabilities, request)
    if (call.interim.canAsk) {
      return parse(await this.#askNow(given === undefined ? request : withQuestionKey(request, given)))
    }
    const { refusal } = this.#options
    if (refusal !== undefined) throw this.#spoil(refusal)
    if (this.isSuspended) throw new Suspended()
    if (this.#ended !== undefined) throw this.#ended.error
    const key = this.#toKey(given)
    const mark = toMark(toCanonicalJson(request))
    const known = this.#answered.get(key)
    if (known !== undefined) {
      if (known.mark !== mark) throw this.#spoil(changedQuestion(key))
      return this.#read(parse, known.answer)
    }
    const before = this.#outstanding.get(key)
    if (before !== undefined && before !== mark) throw this.#spoil(changedQuestion(key))
    // Without a state nothing was asked yet: an answer to a question that has a name is an answer all the same.
    const isExpected = before !== undefined || (this.#state === NEW_RUN && given !== undefined)
    const answer = isExpected ? this.#answerOf(key) : undefined
    if (answer !== undefined) {
      const value = await this.#read(parse, answer)
      this.#answered.set(key, { mark, answer })
      return value
    }
    return this.#wait(key, mark, request, parse)
  }

  /** The methods of questions that nobody has answered yet. */
  unanswered(): readonly string[] {
    return [...this.#sent, ...Array.from(this.open.values(), ({ request }) => request)].map(({ method }) => method)
  }

  async #askNow(request: Notification): Promise<unknown> {
    this.#sent.add(request)
    try {
      return await this.call.interim.ask(request)
    } finally {
      this.#sent.delete(request)
    }
  }

  /** Runs `work` once for a key, in all runs of this call together. */
  once<T>(key: string, work: () => T | Promise<T>): Promise<T> {
    const known = this.#once.get(key)
    if (known !== undefined) return known as Promise<T> // of the same key, and so of the same author
    if (this.#settled.has(key)) return Promise.resolve(this.#settled.get(key) as T)
    if (this.isSuspended) return Promise.reject(new Suspended())
    const done = this.#perform(key, work)
    this.#once.set(key, done)
    done.catch(() => this.#once.delete(key))
    return done
  }

  /** What the next run has to know, once this one is over. */
  async toState(): Promise<RunState> {
    await Promise.allSettled(this.#once.values())
    const answered = new Map(this.#answered)
    // An answer to a question that this run did not come to is kept for one that does.
    for (const [key, mark] of this.#outstanding) {
      const answer = this.#answerOf(key)
      if (!answered.has(key) && !this.open.has(key) && answer !== undefined) answered.set(key, { mark, answer })
    }
    return {
      n: this.#state.n + 1,
      a: Array.from(answered, ([key, { mark, answer }]) => [key, mark, answer] as const),
      o: Array.from(this.#settled, ([key, value]) =>
        value === undefined ? ([key] as const) : ([key, value] as const),
      ),
      q: Array.from(this.open.values(), ({ key, mark }) => [key, mark] as const),
    }
  }

  /** Ends what is still open, and whatever is asked after it: nobody will answer. */
  fail(error: unknown): void {
    this.#ended ??= { error }
    for (const { reject } of this.open.values()) reject(error)
    this.open.clear()
  }

  #wait<T>(key: string, mark: string, request: Notification, parse: (answer: unknown) => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const read = async (answer: unknown) => {
        const value = await parse(answer)
        return () => {
          this.open.delete(key)
          resolve(value)
        }
      }
      this.open.set(key, { key, mark, request, read, reject })
      this.gather()
    })
  }

  /** Lets what is open be asked, once all that is asked in the same turn is known. */
  gather(): void {
    if (!this.#gathering) void this.#gather()
  }

  /** A digest is made on another thread: until it is there, the handler asks whatever it asks in the same turn. */
  async #gather(): Promise<void> {
    this.#gathering = true
    await digestOf(this.call)
    this.#gathering = false
    if (this.#options.mode === 'parked') {
      if (this.open.size > 0) this.#options.waiting?.()
      return
    }
    this.isSuspended = true
    for (const { reject } of this.open.values()) reject(new Suspended())
  }

  async #perform<T>(key: string, work: () => T | Promise<T>): Promise<T> {
    const value = await work()
    if (value !== undefined && JSON.stringify(value) === undefined) {
      throw new TypeError(`Cannot remember the result of "${key}": it is not JSON`)
    }
    this.#settled.set(key, value)
    return value
  }

  #toKey(given: string | undefined): string {
    const key = given ?? `ask-${++this.#count}`
    if (this.#keys.has(key)) throw new TypeError(`Cannot ask two questions by the name "${key}"`)
    if (this.#keys.size >= MAX_QUESTIONS) throw this.#spoil(tooMany())
    this.#keys.add(key)
    return key
  }

  async #read<T>(parse: (answer: unknown) => T | Promise<T>, answer: unknown): Promise<T> {
    try {
      return await parse(answer)
    } catch (error) {
      // That somebody said no is an answer; that the answer is none is the caller's fault.
      throw error instanceof McpError ? this.#spoil(error) : error
    }
  }

  #answerOf(key: string): unknown {
    const { responses } = this.#options
    return responses !== undefined && Object.hasOwn(responses, key) ? responses[key] : undefined
  }

  #spoil(error: McpError): McpError {
    this.fault ??= error
    return error
  }
}

function tooMany(): McpError {
  return new McpError('internal.error', `Cannot ask more than ${MAX_QUESTIONS} questions in one call`)
}

/** Questions of one call. Clients give up long before. */
const MAX_QUESTIONS = 100
