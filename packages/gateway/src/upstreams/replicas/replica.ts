import type { Clock, Handle, Result } from '@crosspoint/mcp'
import type { ReplicaConfig, ReplicasConfig } from '../../config/model-replicas.ts'
import { failureBehind } from '../answers.ts'
import { toRetryAfter } from '../explain.ts'
import type { UpstreamState } from '../state.ts'
import type { Upstream } from '../upstream.ts'
import type { Candidate } from './balance.ts'
import { isThere } from './check.ts'
import { advance, type HealthEvent, isLeftAlone, WELL } from './health.ts'
import { Latency } from './latency.ts'

/** What a person wants to know of one replica. */
export interface ReplicaStatus {
  /** Its host and port, or `#1`. */
  readonly name: string
  readonly state: UpstreamState['kind']
  /** ISO 8601. */
  readonly since: string
  /** Why it is in this state. */
  readonly reason?: string
  /** Calls go to others for a while, since it fails though it is there. */
  readonly isLeftAlone: boolean
  readonly weight: number
  /** Calls at work. */
  readonly pending: number
  readonly calls: number
  /** Of these, that failed on the way. */
  readonly failures: number
  /** How long it takes to answer, in milliseconds, as the latest calls had it. */
  readonly latencyMs?: number
  /** What it offers differently from what is listed. */
  readonly differs?: readonly string[]
}

export interface ReplicaOptions {
  readonly config: ReplicaConfig
  readonly upstream: Upstream
  readonly settings: ReplicasConfig
  readonly clock: Clock
}

/** What became of a call, and what went wrong on the way where something did. */
export type Outcome = { readonly result: Result } | { readonly error: unknown }

/** One address, or process, of a server that has several, with what is known of it from its calls. */
export class Replica implements Candidate {
  readonly name: string
  readonly weight: number
  readonly upstream: Upstream
  credit = 0
  pending = 0
  calls = 0
  failures = 0
  /** What it offers differently from what is listed, and tools that are listed and not of it. */
  differs: readonly string[] = []
  lacks: ReadonlySet<string> = new Set()
  readonly #settings: ReplicasConfig
  readonly #clock: Clock
  readonly #latency = new Latency()
  #health = WELL

  constructor({ config, upstream, settings, clock }: ReplicaOptions) {
    this.name = config.name
    this.weight = config.weight
    this.upstream = upstream
    this.#settings = settings
    this.#clock = clock
  }

  get latencyMs(): number | undefined {
    return this.#latency.at(this.#clock.now())
  }

  get isLeftAlone(): boolean {
    return isLeftAlone(this.#health, this.#clock.now(), this.#settings)
  }

  get status(): ReplicaStatus {
    const { name, upstream, isLeftAlone, weight, pending, calls, failures, latencyMs, differs } = this
    const { state, since } = upstream
    return {
      name,
      state: state.kind,
      since,
      ...('reason' in state && state.reason !== undefined ? { reason: state.reason } : {}),
      isLeftAlone,
      weight,
      pending,
      calls,
      failures,
      ...(latencyMs === undefined ? {} : { latencyMs: Math.round(latencyMs * 100) / 100 }),
      ...(differs.length === 0 ? {} : { differs }),
    }
  }

  /** Sends a call there, and learns from what becomes of it. Never rejects. */
  async pass(call: Parameters<Handle>[0], isHeld: boolean): Promise<Outcome> {
    const { upstream } = this
    // What stays open tells neither how long an answer takes nor how much there is to do.
    const isBrief = call.method !== 'subscriptions/listen'
    const start = this.#clock.now()
    if (isBrief) this.pending++
    this.calls++
    const outcome = await settled(isHeld ? upstream.hold(call) : upstream.handle(call))
    if (isBrief) this.pending--
    const failure = failureBehind('error' in outcome ? outcome.error : outcome.result)
    if (failure !== undefined && COUNTS.has(failure.code)) {
      this.failures++
      const retryAfterMs = toRetryAfter(failure)
      this.#tell({
        kind: 'failed',
        isUnreachable: failure.neverRan && failure.code !== 'upstream.closed',
        retryAfterMs,
      })
    } else if (!call.cancellation.isCancelled) this.#tell({ kind: 'answered' })
    const isMeasured = isBrief && !isHeld && !call.cancellation.isCancelled && failure?.neverRan !== true
    if (isMeasured) this.#latency.observe(this.#clock.now() - start, this.#clock.now())
    return outcome
  }

  /** Asks whether it is there, where it counts as connected. */
  async check(): Promise<void> {
    const { connection } = this.upstream
    if (connection === undefined) return
    const isHere = await isThere(connection, this.#clock, this.#settings.checkTimeoutMs)
    if (connection !== this.upstream.connection) return
    this.#tell({ kind: isHere ? 'heard' : 'unheard' })
    if (!isHere) this.upstream.check()
  }

  #tell(event: HealthEvent): void {
    this.#health = advance(this.#health, event, this.#clock.now(), this.#settings)
  }
}

async function settled(answer: Promise<Result>): Promise<Outcome> {
  try {
    return { result: await answer }
  } catch (error) {
    return { error }
  }
}

/** A refusal of our credentials is no failure that heals by waiting. */
const COUNTS: ReadonlySet<string> = new Set(['upstream.timeout', 'upstream.unavailable', 'upstream.closed'])
