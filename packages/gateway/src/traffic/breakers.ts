import { type Clock, type Handle, McpError, type Result } from '@crosspoint/mcp'
import type { BreakerConfig } from '../config/model-traffic.ts'
import { toSelector } from '../config/selection.ts'
import type { Log } from '../log.ts'
import type { Passage } from '../routes/passage.ts'
import { failureBehind } from '../upstreams/answers.ts'
import { toRetryAfter } from '../upstreams/explain.ts'
import { advance, type BreakerEvent, type BreakerState, toClosed, toWait } from './breaker.ts'
import { refuse, toRefusal } from './refusal.ts'

interface Breaker {
  readonly settings: BreakerConfig
  state: BreakerState
  refused: number
}

/**
 * Leaves servers alone for a while whose connection is well and which fail all the same: they answer with HTTP 5xx, or not in time.
 * Of a server that counts as away calls are answered by itself, and count for nothing here.
 */
export class Breakers {
  readonly #clock: Clock
  readonly #log: Log
  readonly #configs: readonly (BreakerConfig & { readonly fits: (server: string) => boolean })[]
  /** By server; undefined for one without. */
  readonly #breakers = new Map<string, Breaker | undefined>()

  constructor(configs: readonly BreakerConfig[], clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
    this.#configs = configs.map((config) => ({ ...config, fits: toSelector({ include: config.servers }) }))
  }

  get figures(): readonly { readonly server: string; readonly isOpen: boolean; readonly refused: number }[] {
    return [...this.#breakers].flatMap(([server, breaker]) =>
      breaker === undefined ? [] : [{ server, isOpen: breaker.state.kind !== 'closed', refused: breaker.refused }],
    )
  }

  isOpen(server: string): boolean {
    return this.#breakers.get(server)?.state.kind === 'open'
  }

  /** Whether a call would be refused now. */
  isShut(server: string): boolean {
    const state = this.#breakers.get(server)?.state
    return state?.kind === 'open' && this.#clock.now() < state.until
  }

  pass(call: Passage, next: Handle<Passage>): Promise<Result> {
    const server = call.route?.destination.name
    const breaker = server === undefined ? undefined : this.#breakerOf(server)
    if (server === undefined || breaker === undefined) return next(call)
    const before = breaker.state
    const waitMs = toWait(before, this.#tell(server, breaker, ASKED), this.#clock.now())
    if (waitMs === undefined) return this.#watch(server, breaker, call, next)
    breaker.refused++
    try {
      const sentence = `The server "${server}" fails too often and is left alone for a moment`
      return Promise.resolve(refuse(call, toRefusal('upstream.unavailable', sentence, { upstream: server }, waitMs)))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async #watch(server: string, breaker: Breaker, call: Passage, next: Handle<Passage>): Promise<Result> {
    try {
      const result = await next(call)
      this.#tell(server, breaker, call.refusal === undefined ? toEvent(call, result, ANSWERED) : NOTHING)
      return result
    } catch (error) {
      this.#tell(server, breaker, toEvent(call, error, isServers(error) ? ANSWERED : NOTHING))
      throw error
    }
  }

  #tell(server: string, breaker: Breaker, event: BreakerEvent): BreakerState {
    const before = breaker.state
    breaker.state = advance(before, event, this.#clock.now(), breaker.settings)
    const { kind } = breaker.state
    if (kind === 'open' && before.kind === 'closed') {
      this.#log.warn({ upstream: server }, 'Breaker opened: the server fails too often and is left alone for a moment')
    } else if (kind === 'closed' && before.kind === 'probing') {
      this.#log.info({ upstream: server }, 'Breaker closed: the server answers again')
    }
    return breaker.state
  }

  /** Servers are those of the configuration: there are so many of them. */
  #breakerOf(server: string): Breaker | undefined {
    const known = this.#breakers.get(server)
    if (known !== undefined || this.#breakers.has(server)) return known
    const settings = this.#configs.find(({ fits }) => fits(server))
    const made = settings && { settings, state: toClosed(this.#clock.now()), refused: 0 }
    this.#breakers.set(server, made)
    return made
  }
}

function toEvent(call: Passage, outcome: unknown, otherwise: BreakerEvent): BreakerEvent {
  const failure = failureBehind(outcome)
  if (failure !== undefined && COUNTS.has(failure.code)) return { kind: 'failed', retryAfterMs: toRetryAfter(failure) }
  return call.cancellation.isCancelled ? NOTHING : otherwise
}

/** An error that the server itself answered with: it is well enough to. */
function isServers(error: unknown): boolean {
  return error instanceof McpError && error.rpc !== undefined
}

/** A refusal of our credentials is no failure that heals by waiting. */
const COUNTS: ReadonlySet<string> = new Set(['upstream.timeout', 'upstream.unavailable', 'upstream.closed'])
const ASKED: BreakerEvent = { kind: 'asked' }
const ANSWERED: BreakerEvent = { kind: 'answered' }
const NOTHING: BreakerEvent = { kind: 'nothing' }
