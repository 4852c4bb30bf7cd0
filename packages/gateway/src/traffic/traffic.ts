import type { Clock, Principal } from '@crosspoint/mcp'
import type { TrafficConfig } from '../config/model-traffic.ts'
import { type Log, SILENT } from '../log.ts'
import type { CounterStore } from '../stores/contract/counter-store.ts'
import { Breakers } from './breakers.ts'
import { ResultCache } from './cache.ts'
import { Concurrency } from './concurrency.ts'
import type { Counters } from './counters.ts'
import { Counting } from './counting.ts'
import { Limits } from './limits.ts'
import { toRefusal, UNCOUNTED } from './refusal.ts'
import { Retries } from './retries.ts'
import { Routing } from './routing/routing.ts'
import type { CommonCounts } from './shared-counters.ts'

export interface TrafficOptions {
  readonly clock: Clock
  /** Default: nothing is logged. */
  readonly log?: Log
  /** In [0, 1), for jitter. Default `Math.random`. */
  readonly random?: () => number
  /** Where calls are counted. Default: where the configuration says. */
  readonly counters?: Counters | undefined
  /** Where long counts are kept. Default: they end with the process. */
  readonly counts?: CounterStore | undefined
  /** Opens what replicas count in together. Default: there is nothing of the kind. */
  readonly openCommon?: ((owner: string) => CommonCounts) | undefined
}

/** One count for whoever reads metrics. Labels name what the configuration names, and never a caller. */
export interface TrafficFigure {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Everything about how much, as the configuration in force has it. What is not configured is not there. */
export class Traffic {
  readonly #clock: Clock
  readonly #given: Counters | undefined
  readonly #counting: Counting
  #counters: Counters
  readonly #log: Log
  readonly #random: () => number
  #config: TrafficConfig | undefined
  #limits: Limits | undefined
  #concurrency: Concurrency | undefined
  #cache: ResultCache | undefined
  #breakers: Breakers | undefined
  #retries: Retries | undefined
  #doorRefusals = 0
  readonly routing: Routing

  constructor(options: TrafficOptions) {
    this.#clock = options.clock
    this.#log = options.log ?? SILENT
    this.#random = options.random ?? Math.random
    const { openCommon, counts: store } = options
    const owner = crypto.randomUUID()
    this.#counting = new Counting({
      clock: this.#clock,
      log: this.#log,
      owner,
      store,
      ...(openCommon !== undefined && { openCommon: () => openCommon(owner) }),
    })
    this.#given = options.counters
    this.routing = new Routing({
      clock: this.#clock,
      random: this.#random,
      breakers: () => this.#breakers,
      limits: () => this.#limits,
    })
    this.#counters = NONE
  }

  get limits(): Limits | undefined {
    return this.#limits
  }

  get cache(): ResultCache | undefined {
    return this.#cache
  }

  get breakers(): Breakers | undefined {
    return this.#breakers
  }

  get retries(): Retries | undefined {
    return this.#retries
  }

  get concurrency(): Concurrency | undefined {
    return this.#concurrency
  }

  /** Goes over to another configuration. Counts of what is called the same and lasts as long go on. */
  apply(config: TrafficConfig): void {
    const before = this.#config
    this.#config = config
    const differs = (key: keyof TrafficConfig) => JSON.stringify(config[key]) !== JSON.stringify(before?.[key])
    // What was kept by other rules is kept no longer.
    if (differs('cache')) {
      this.#cache = config.cache.rules.length > 0 ? new ResultCache(config.cache, this.#clock) : undefined
    }
    if (differs('breakers')) {
      this.#breakers = config.breakers.length > 0 ? new Breakers(config.breakers, this.#clock, this.#log) : undefined
    }
    if (differs('retries')) {
      const needs = {
        clock: this.#clock,
        random: this.#random,
        isLeftAlone: (server: string) => this.#breakers?.isOpen(server) === true,
      }
      this.#retries = config.retries.length > 0 ? new Retries(config.retries, needs) : undefined
    }
    const isCounted = config.limits.length > 0 || config.budgets.length > 0 || config.door !== undefined
    if (isCounted) this.#counters = this.#given ?? this.#counting.choose(config)
    const isLimited = config.limits.length > 0 || config.budgets.length > 0
    this.#limits = isLimited ? new Limits(config, this.#counters, this.#limits, () => this.#clock.wallNow()) : undefined
    const isQueued = config.concurrency.length > 0
    this.#concurrency = isQueued ? new Concurrency(config, this.#clock, this.#concurrency) : undefined
  }

  /**
   * Counts a request over HTTP, before it is read.
   * @throws {McpError} `policy.limit` for one too many
   */
  async admit({ tenant, id }: Principal): Promise<void> {
    const door = this.#config?.door
    if (door === undefined) return
    const { requests: max, windowMs } = door
    const key = `/door/${windowMs}/${tenant.length}:${tenant}${id}`
    const taken = await this.#counters.take([{ key, amount: 1, max, windowMs }])
    if (taken.isTaken) return
    this.#doorRefusals++
    if (taken.isAway) throw toRefusal('policy.busy', UNCOUNTED, { limit: 'door' }, taken.retryAfterMs)
    throw toRefusal('policy.limit', 'This caller sends too many requests', { limit: 'door' }, taken.retryAfterMs)
  }

  /** Everything there is to count, at this moment. */
  snapshot(): readonly TrafficFigure[] {
    const figures: TrafficFigure[] = [
      { name: 'counter_keys', labels: {}, value: this.#counters.size },
      { name: 'door_refused', labels: {}, value: this.#doorRefusals },
    ]
    for (const [name, value] of Object.entries(this.#counters.figures ?? {})) {
      figures.push({ name, labels: {}, value })
    }
    for (const { name, kind, passed, refused } of this.#limits?.figures ?? []) {
      figures.push({ name: 'limit_passed', labels: { kind, limit: name }, value: passed })
      figures.push({ name: 'limit_refused', labels: { kind, limit: name }, value: refused })
    }
    for (const { name, inside, waiting, shed, waitedMs } of this.#concurrency?.figures ?? []) {
      const labels = { limit: name }
      figures.push({ name: 'calls_inside', labels, value: inside })
      figures.push({ name: 'calls_waiting', labels, value: waiting })
      figures.push({ name: 'calls_shed', labels, value: shed })
      figures.push({ name: 'calls_waited_seconds', labels, value: waitedMs / 1_000 })
    }
    for (const [name, value] of Object.entries(this.#cache?.figures ?? {})) {
      figures.push({ name: `cache_${name}`, labels: {}, value })
    }
    for (const { server, isOpen, refused } of this.#breakers?.figures ?? []) {
      const labels = { upstream: server }
      figures.push({ name: 'breaker_open', labels, value: isOpen ? 1 : 0 })
      figures.push({ name: 'breaker_refused', labels, value: refused })
    }
    if (this.#retries !== undefined) figures.push({ name: 'retried', labels: {}, value: this.#retries.retried })
    for (const { route, tool, calls, failures } of this.routing.figures) {
      figures.push({ name: 'route_calls', labels: { route, tool }, value: calls })
      figures.push({ name: 'route_failures', labels: { route, tool }, value: failures })
    }
    return figures
  }
  /** Keeps what was counted and is to be kept. */
  async close(): Promise<void> {
    await this.#counting.close()
  }
}

/** Until anything is counted. */
const NONE: Counters = Object.freeze({ size: 0, take: () => ({ isTaken: true as const }) })
