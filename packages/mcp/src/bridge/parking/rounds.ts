import type { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { sizeOf } from '../../jsonrpc/size.ts'
import { toOwner } from '../../peer/tally.ts'
import type { Call, Result } from '../../protocol/call.ts'
import { toReason } from '../../protocol/cancellation.ts'
import type { ParkedRun, ParkedRuns } from './parked.ts'
import { refusedState, type States } from './states.ts'
import { type Awaited, Waiters } from './waiters.ts'

/** What goes on while its caller thinks: a handler at work, or a call to a server elsewhere. */
export interface Ongoing extends Awaited {
  /** Begins it. Settles when it is over, whichever way. */
  begin(): Promise<Result>
  /** What it asks now, by key: the requests as a client is asked them by a result. */
  readonly questions: JsonObject
  /**
   * Reads answers to what it asks, by key. Those that cannot be read throw, and then nothing of them is kept.
   * @returns what takes them
   */
  read(responses: JsonObject): Promise<() => void>
  /** Nobody will answer any more. */
  fail(error: unknown): void
}

/** Where calls wait between two requests of their callers. */
export interface Parking {
  readonly states: States
  readonly parked: ParkedRuns
}

/** The sealed state of one that waits: which, and after how many rounds. */
interface ParkedState extends JsonObject {
  readonly park: string
  readonly n: number
}

export function isParked(state: unknown): state is ParkedState {
  return typeof state === 'object' && state !== null && 'park' in state
}

/**
 * Goes on with what waits, after the round that its state says.
 * @throws {McpError} `caller.invalid_params` for what is over, forgotten or elsewhere
 */
export async function resumeParked(
  { parked }: Parking,
  call: Call,
  { park, n }: ParkedState,
  responses: JsonObject,
): Promise<Result> {
  const outcome = parked.find(park)?.resume(call, n, responses)
  if (outcome === undefined) throw refusedState()
  return outcome
}

/**
 * The rounds of one call that is kept in memory while its caller is asked by results: each ends with questions and a
 * sealed state, or with what the call came to. A round asked for twice has one outcome.
 */
export class Rounds implements ParkedRun {
  readonly id = crypto.randomUUID()
  readonly owner: string
  readonly #parking: Parking
  readonly #ongoing: Ongoing
  readonly #waiters: Waiters
  readonly #first: Call
  /** One a round, in their order. */
  readonly #outcomes = new Map<number, Promise<Result>>()
  /** The call of the latest round: the state of the next is bound to it. */
  #call: Call
  /** The outcome of the round under way. */
  #coming: Promise<Result> | undefined
  #done: Promise<Result> | undefined
  #firstBytes: number | undefined
  #answerBytes = 0
  #outcomeBytes = 0
  #isWaiting: () => void = () => {}

  constructor(parking: Parking, call: Call, ongoing: Ongoing) {
    this.owner = toOwner(call.principal)
    this.#parking = parking
    this.#first = call
    this.#call = call
    this.#ongoing = ongoing
    this.#waiters = new Waiters(ongoing)
  }

  /** Of parameters, answers and outcomes. */
  get bytes(): number {
    // Parameters of the first round, which whatever goes on has, and those of the latest.
    this.#firstBytes ??= 2 * sizeOf(this.#first.params)
    return this.#firstBytes + this.#answerBytes + this.#outcomeBytes
  }

  get isAttended(): boolean {
    return this.#waiters.areThere
  }

  begin(): Promise<Result> {
    return this.#round(this.#first, 1, () => {
      this.#done = this.#ongoing.begin()
      this.#done.catch(() => {}) // every round that is under way hears of it
    })
  }

  /** All questions that come together are known: the round under way ends with them. */
  wait(): void {
    this.#isWaiting()
  }

  /** The outcome of the round after `round`; undefined where that is not the latest and none is remembered. */
  resume(call: Call, round: number, responses: JsonObject): Promise<Result> | undefined {
    const known = this.#outcomes.get(round + 1)
    if (known !== undefined) return this.#join(call, known)
    return round === this.#outcomes.size ? this.#answer(call, round + 1, responses) : undefined
  }

  abandon(reason: McpError): void {
    this.#ongoing.giveUp(reason)
  }

  /** Begins a round with answers. Who was gone before they were read gave none: then the round is still to come. */
  async #answer(call: Call, round: number, responses: JsonObject): Promise<Result> {
    const take = await this.#ongoing.read(responses)
    if (call.cancellation.isCancelled) throw toReason(call.cancellation.reason)
    const known = this.#outcomes.get(round)
    if (known !== undefined) return this.#join(call, known) // somebody else's answers were read first
    this.#answerBytes += sizeOf(responses)
    return this.#round(call, round, take)
  }

  async #round(call: Call, round: number, begin: () => void): Promise<Result> {
    this.#call = call
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
      // Of what is over at once nobody has a state to come back with.
      if (round > 1) this.#end(sizeOf(result))
      return result
    } catch (error) {
      this.#ongoing.fail(error)
      if (round > 1) this.#end(0)
      throw error
    } finally {
      this.#coming = undefined
      this.#waiters.clear()
    }
  }

  async #park(round: number): Promise<Result> {
    const { states, parked } = this.#parking
    const inputRequests = this.#ongoing.questions
    const requestState = await states.seal(this.#call, 'run', { park: this.id, n: round })
    const asked: Result = { resultType: 'input_required', inputRequests, requestState }
    this.#outcomeBytes += sizeOf(asked)
    parked.keep(this, this.bytes)
    return asked
  }

  /** What is left of one that is over are its outcomes: parameters and all it worked with can go. */
  #end(bytes: number): void {
    const outcomes = this.#outcomes
    const over: ParkedRun = {
      id: this.id,
      owner: this.owner,
      isAttended: false,
      resume: (_call, after) => outcomes.get(after + 1),
      abandon() {},
    }
    this.#parking.parked.remember(over, this.#outcomeBytes + bytes)
  }
}
