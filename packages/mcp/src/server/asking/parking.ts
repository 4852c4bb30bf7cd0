import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { sizeOf } from '../../jsonrpc/size.ts'
import { toOwner } from '../../peer/tally.ts'
import type { Call, Result } from '../../protocol/call.ts'
import { CancellationSource } from '../../protocol/cancellation.ts'
import { OpenContext } from '../context.ts'
import type { ServerSettings } from '../settings.ts'
import { visit } from './asker.ts'
import { Asking } from './asking.ts'
import { UrlElicitationRequired } from './errors.ts'
import { warnOfForgotten } from './forgotten.ts'
import { checkOwnQuestions } from './own-questions.ts'
import type { ParkedRun } from './parked.ts'
import { toInputRequests } from './rounds.ts'
import { refusedState } from './states.ts'
import { type Awaited, Waiters } from './waiters.ts'
import type { Work } from './work.ts'

/** The sealed state of a parked run: which one, and after how many rounds. */
interface ParkedState extends JsonObject {
  readonly park: string
  readonly n: number
}

export function isParked(state: unknown): state is ParkedState {
  return typeof state === 'object' && state !== null && 'park' in state
}

/** Runs a handler that keeps its place in memory while it waits for answers. */
export function startParked(
  settings: ServerSettings,
  call: Call,
  work: Work,
  responses: JsonObject = {},
): Promise<Result> {
  const parking = new Parking(settings, call, work, responses)
  settings.asking.parked.checkRoom(parking.owner, parking.bytes)
  return parking.begin()
}

/** @throws {McpError} `caller.invalid_params` for a run that is over, forgotten or elsewhere */
export async function resumeParked(
  { asking: { parked } }: ServerSettings,
  call: Call,
  { park, n }: ParkedState,
  responses: JsonObject,
): Promise<Result> {
  const run = parked.find(park)
  if (run === undefined) throw refusedState()
  const outcome = run.resume(call, n, responses)
  if (outcome === undefined) throw refusedState()
  return outcome
}

class Parking implements ParkedRun, Awaited {
  readonly id = crypto.randomUUID()
  readonly owner: string
  readonly #settings: ServerSettings
  readonly #asking: Asking
  readonly #context: OpenContext
  readonly #work: Work
  readonly #given: CancellationSource = new CancellationSource()
  readonly #waiters = new Waiters(this)
  /** One a round, in their order. */
  readonly #outcomes = new Map<number, Promise<Result>>()
  /** The outcome of the round under way. */
  #coming: Promise<Result> | undefined
  #done: Promise<Result> | undefined
  /** Of parameters and answers: the handler has them while it is at work. */
  #givenBytes: number
  #outcomeBytes = 0
  #isWaiting: () => void = () => {}

  constructor(settings: ServerSettings, call: Call, work: Work, responses: JsonObject) {
    this.owner = toOwner(call.principal)
    this.#settings = settings
    this.#work = work
    // Those of the first round, which the handler has, and those of the latest.
    this.#givenBytes = 2 * sizeOf(call.params)
    this.#asking = new Asking(call, { mode: 'parked', responses, waiting: () => this.#isWaiting() })
    this.#context = new OpenContext(call, settings, this.#asking, this.#given)
  }

  get bytes(): number {
    return this.#givenBytes + this.#outcomeBytes
  }

  begin(): Promise<Result> {
    return this.#round(this.#asking.call, 1, () => {
      this.#done = this.#run()
      this.#done.catch(() => {}) // every round that is under way hears of it
    })
  }

  /** The outcome of the round after `round`; undefined where that is not the latest and none is remembered. */
  resume(call: Call, round: number, responses: JsonObject): Promise<Result> | undefined {
    const known = this.#outcomes.get(round + 1)
    if (known !== undefined) return this.#join(call, known)
    return round === this.#outcomes.size ? this.#answer(call, round + 1, responses) : undefined
  }

  abandon(reason: McpError): void {
    this.#given.cancel(reason)
    this.#asking.fail(reason)
  }

  speakTo(call: Call): void {
    this.#asking.call = call
    this.#context.call = call
  }

  giveUp(reason: unknown): void {
    this.#given.cancel(reason)
    this.#asking.fail(reason)
  }

  /**
   * Begins a round with answers. Those that cannot be read are no answers, and who was gone before they were read gave
   * none: then the round is still to come, and nothing of them is kept.
   */
  async #answer(call: Call, round: number, responses: JsonObject): Promise<Result> {
    const read: (() => void)[] = []
    for (const question of [...this.#asking.open.values()]) {
      if (Object.hasOwn(responses, question.key)) read.push(await question.read(responses[question.key]))
    }
    if (call.cancellation.isCancelled) throw toReason(call.cancellation.reason)
    const known = this.#outcomes.get(round)
    if (known !== undefined) return this.#join(call, known) // somebody else's answers were read first
    this.#givenBytes += sizeOf(responses)
    return this.#round(call, round, () => {
      for (const take of read) take()
      this.#asking.gather()
    })
  }

  async #round(call: Call, round: number, begin: () => void): Promise<Result> {
    const leave = this.#waiters.join(call)
    try {
      const outcome = this.#outcome(round, begin)
      this.#coming = outcome
      this.#outcomes.set(round, outcome)
      return await outcome // also remembered for who asks again, which may be nobody
    } finally {
      leave()
    }
  }

  async #join(call: Call, outcome: Promise<Result>): Promise<Result> {
    if (outcome !== this.#coming) return outcome
    const leave = this.#waiters.join(call)
    try {
      return await outcome
    } finally {
      leave()
    }
  }

  async #outcome(round: number, begin: () => void): Promise<Result> {
    const waiting = new Promise<undefined>((resolve) => {
      this.#isWaiting = () => resolve(undefined)
    })
    begin()
    try {
      const result = await Promise.race([waiting, this.#done])
      if (result === undefined) return await this.#park(round)
      // Of a run that is over at once nobody has a state to come back with.
      if (round > 1) this.#end(sizeOf(result))
      return result
    } catch (error) {
      this.#asking.fail(error)
      if (round > 1) this.#end(0)
      throw error
    } finally {
      this.#coming = undefined
      this.#waiters.clear()
    }
  }

  async #park(round: number): Promise<Result> {
    const { states, parked } = this.#settings.asking
    const { call } = this.#asking
    const inputRequests = toInputRequests(this.#asking.open.values())
    const requestState = await states.seal(call, 'run', { park: this.id, n: round })
    const asked: Result = { resultType: 'input_required', inputRequests, requestState }
    this.#outcomeBytes += sizeOf(asked)
    parked.keep(this, this.bytes)
    return asked
  }

  /** What is left of a run that is over are its outcomes: parameters and all it worked with can go. */
  #end(bytes: number): void {
    const outcomes = this.#outcomes
    const over: ParkedRun = {
      id: this.id,
      owner: this.owner,
      resume: (_call, after) => outcomes.get(after + 1),
      abandon() {},
    }
    this.#settings.asking.parked.remember(over, this.#outcomeBytes + bytes)
  }

  async #run(): Promise<Result> {
    const { run, fail } = this.#work
    try {
      for (let visits = 1; ; visits++) {
        try {
          const result = await run(this.#context)
          if (result.resultType === 'input_required') checkOwnQuestions(this.#settings, this.#asking.call, result)
          warnOfForgotten(this.#settings, this.#asking)
          return result
        } catch (error) {
          if (!(error instanceof UrlElicitationRequired)) throw error
          await Promise.all(
            error.pages.map((page, at) => visit(this.#asking, page.url, page.message, `page-${visits}.${at + 1}`)),
          )
        }
      }
    } catch (error) {
      if (this.#given.isCancelled) throw toReason(this.#given.reason)
      if (this.#asking.fault !== undefined) throw this.#asking.fault
      return fail(error)
    } finally {
      this.#context.end()
    }
  }
}

function toReason(reason: unknown): McpError {
  return reason instanceof McpError ? reason : new McpError('caller.cancelled', 'The caller cancelled the request')
}
