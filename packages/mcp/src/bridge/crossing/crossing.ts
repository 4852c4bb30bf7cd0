import type { JsonObject } from '../../jsonrpc/frame.ts'
import { isObject, without } from '../../jsonrpc/members.ts'
import { type Clock, systemClock } from '../../peer/clock.ts'
import type { Call, Handle, Interim, Notification, Result } from '../../protocol/call.ts'
import type { ClientCapabilities } from '../../protocol/capabilities.ts'
import { METHODS } from '../../protocol/methods.ts'
import { findRevision } from '../../revisions/index.ts'
import { Pages, type Visitor } from '../pages.ts'
import type { ParkedRuns } from '../parking/parked.ts'
import { parseResponses } from '../parking/responses.ts'
import { isParked, resumeParked } from '../parking/rounds.ts'
import { createSealer } from '../parking/seal.ts'
import { createParked, createStates, type ParkingOptions } from '../parking/settings.ts'
import { isRunState, refusedState, type States } from '../parking/states.ts'
import { RequiredPages, toPages } from '../required-pages.ts'
import { Exchange } from './exchange.ts'
import { holdTasks } from './held-task.ts'
import { isAboutTasks, TaskIds, withTaskIds } from './task-ids.ts'

export interface CrossingOptions extends ParkingOptions {
  readonly clock?: Clock
  /**
   * How long a question of a server waits for others that it asks at the same time, so that a caller is asked all of them
   * at once, in milliseconds. Default 50.
   */
  readonly gatherMs?: number
  /**
   * What this process is called where several serve the same callers (`toNodeName`): it stands in states of calls that
   * wait here, and in ids of tasks that are known here, so that they can be brought back. Default: it does not.
   */
  readonly node?: string
}

/** A server as callers of every revision may call it. */
export interface Crossed {
  readonly handle: Handle
  /** The call of a tool that works only as a task, for a caller who knows none: waits for the task. */
  readonly hold: Handle
  /**
   * What the server says outside of any call.
   * @param caller whose session with the server it came in. Absent: it came over a connection that callers share
   */
  hear(notification: Notification, caller?: Pick<Call, 'principal' | 'downstream'>): void
}

/**
 * Where calls cross from the revision of their caller to that of a server (PROTOCOL §15): what a server asks by requests of
 * its own is asked of a caller who knows none by results, and the call waits here meanwhile; what a server asks by results
 * is bound to its caller before it goes out. All that waits is in memory, within bounds.
 */
export interface Crossing {
  /**
   * @param handle calls the server
   * @param revision the one it speaks
   * @param server its name: what one server handed out is good for itself alone
   */
  over(handle: Handle, revision: string, server: string): Crossed
  /** Ends what waits: nobody will come for it. */
  close(): void
}

export function createCrossing(options: CrossingOptions = {}): Crossing {
  const { clock = systemClock, gatherMs = 50, node } = options
  // Servers come and go under one name, and what they handed out stays good.
  const stateKey = options.stateKey ?? crypto.getRandomValues(new Uint8Array(32))
  const parked = createParked(options, clock)
  return {
    over(handle, revision, server) {
      const audience = `crossing ${server}`
      const states = createStates({ ...options, stateKey }, audience, clock, node)
      const parking = { states, parked, clock, gatherMs }
      const asks = findRevision(revision)?.traits.serverRequests === true
      const inner: Crossed = asks ? new Asked(handle, parking) : new Sealed(handle, parking)
      const tasks = withTaskIds(
        inner.handle,
        new TaskIds(createSealer(stateKey, audience), server, asks ? node : undefined),
      )
      return {
        handle: (call) => (isAboutTasks(call) ? tasks(call) : inner.handle(call)),
        hold: inner.hold,
        hear: (notification, caller) => inner.hear(notification, caller),
      }
    },
    close: () => parked.close(),
  }
}

interface AskedOptions {
  readonly states: States
  readonly parked: ParkedRuns
  readonly clock: Clock
  readonly gatherMs: number
}

/** A server that asks by requests of its own. */
class Asked implements Crossed {
  readonly handle: Handle
  readonly hold: Handle
  readonly #options: AskedOptions
  readonly #plain: Handle
  readonly #paged: Handle
  /** Pages that callers were sent to. */
  readonly #pages = new Pages()

  constructor(handle: Handle, options: AskedOptions) {
    this.#options = options
    this.#plain = handle
    this.#paged = new RequiredPages(options.clock, this.#pages).around(handle)
    this.handle = (call) => this.#take(call)
    const held = holdTasks(handle, options.clock)
    this.hold = (call) => (isAskedByResult(call) ? exchange(call, held, options) : held(call))
  }

  hear({ method, params }: Notification, caller?: Visitor): void {
    if (method === 'notifications/elicitation/complete') this.#pages.complete(params.elicitationId, caller)
  }

  #take(call: Call): Promise<Result> {
    if (METHODS.get(call.method)?.mayAsk !== true) return this.#plain(call)
    if (!isAskedByResult(call)) {
      return hasPages(call.downstream.capabilities) ? this.#noting(call) : this.#plain(call)
    }
    if (call.params.requestState !== undefined) return resume(call, this.#options)
    return exchange(call, this.#paged, this.#options)
  }

  /** A caller who is sent to a page in the server's own words hears from the server when the visit is over. */
  async #noting(call: Call): Promise<Result> {
    try {
      return await this.#plain({ ...call, interim: new NotingInterim(call, this.#pages) })
    } catch (error) {
      for (const { elicitationId } of toPages(error) ?? []) this.#pages.sent(elicitationId, call)
      throw error
    }
  }
}

/** Of one who can be asked: remembers the pages it was asked to open. */
class NotingInterim implements Interim {
  readonly #call: Call
  readonly #inner: Interim
  readonly #pages: Pages

  constructor(call: Call, pages: Pages) {
    this.#call = call
    this.#inner = call.interim
    this.#pages = pages
  }

  get progress() {
    return this.#inner.progress
  }

  get logLevel() {
    return this.#inner.logLevel
  }

  get canAsk() {
    return this.#inner.canAsk
  }

  get pause() {
    return this.#inner.pause
  }

  notify(notification: Notification): void {
    this.#inner.notify(notification)
  }

  ask: Interim['ask'] = (request, withdrawn) => {
    this.#pages.sent(request.params.elicitationId, this.#call)
    return this.#inner.ask(request, withdrawn)
  }
}

/**
 * A server that asks by results: what it wants to have back is bound to its caller, the request and a time, as nobody
 * knows what it checks itself (PROTOCOL §15.4).
 */
class Sealed implements Crossed {
  readonly handle: Handle
  readonly hold: Handle

  constructor(handle: Handle, options: AskedOptions) {
    this.handle = sealing(handle, options)
    this.hold = holdTasks(handle, options.clock)
  }

  hear(): void {}
}

function sealing(handle: Handle, options: AskedOptions): Handle {
  const { states } = options
  return async (call) => {
    // Who is asked by requests is asked at its edge: the state never leaves.
    if (METHODS.get(call.method)?.mayAsk !== true || !isAskedByResult(call)) return handle(call)
    const { requestState } = call.params
    parseResponses(call.params) // throws
    // The server came back in this revision while a call to what it was waits here.
    if (typeof requestState === 'string' && isRunState(requestState)) return resume(call, options)
    const opened = requestState === undefined ? undefined : await states.open(call, 'own', requestState)
    const result = await handle(
      requestState === undefined ? call : withParams(call, { ...call.params, requestState: opened }),
    )
    if (result.resultType !== 'input_required' || result.requestState === undefined) return result
    return { ...result, requestState: await states.seal(call, 'own', result.requestState) }
  }
}

/** A call that may be asked by requests meanwhile, for a caller who is asked by results. */
function exchange(call: Call, handle: Handle, { states, parked, clock, gatherMs }: AskedOptions): Promise<Result> {
  const { inputResponses: early } = call.params
  const bare = early === undefined ? call : withParams(call, without(call.params, ROUNDS))
  if (!canBeAsked(call.downstream.capabilities)) return handle(bare)
  const options = { parking: { states, parked }, clock, windowMs: gatherMs, ...(isObject(early) && { early }) }
  return new Exchange(handle, bare, options).rounds.begin()
}

/** Goes on with a call that waits here for its caller. */
async function resume(call: Call, options: AskedOptions): Promise<Result> {
  const responses = parseResponses(call.params)
  const state = await options.states.open(call, 'run', call.params.requestState)
  if (!isParked(state)) throw refusedState()
  return resumeParked(options, call, state, responses)
}

function withParams(call: Call, params: JsonObject): Call {
  return { ...call, params }
}

/** Its revision lets a result ask, and nothing carries a question while the call is open. */
function isAskedByResult({ interim, downstream }: Call): boolean {
  return !interim.canAsk && findRevision(downstream.revision)?.traits.serverRequests === false
}

function canBeAsked({ elicitation, sampling, roots }: ClientCapabilities): boolean {
  return elicitation !== undefined || sampling !== undefined || roots !== undefined
}

function hasPages({ elicitation }: ClientCapabilities): boolean {
  return elicitation?.url !== undefined
}

const ROUNDS = ['inputResponses', 'requestState']
