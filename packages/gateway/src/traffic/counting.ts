import type { Clock } from '@crosspoint/mcp'
import type { TrafficConfig } from '../config/model-traffic.ts'
import type { Log } from '../log.ts'
import type { CounterStore } from '../stores/contract/counter-store.ts'
import { type Counters, MemoryCounters } from './counters.ts'
import { LastingCounters } from './lasting-counters.ts'
import { type CommonCounts, SharedCounters } from './shared-counters.ts'

export interface CountingOptions {
  readonly clock: Clock
  readonly log: Log
  /** Of this process, and no other. */
  readonly owner: string
  /** Default: nothing is kept. */
  readonly store?: CounterStore | undefined
  /** Is asked for when it is first needed. Default: nothing is shared. */
  readonly openCommon?: (() => CommonCounts) | undefined
}

/** Where calls are counted, as the configuration has it: one count goes on when another place is chosen. */
export class Counting {
  readonly #options: CountingOptions
  readonly #memory: MemoryCounters
  #lasting: LastingCounters | undefined
  #shared: SharedCounters | undefined
  #onLoss: TrafficConfig['onLoss'] = 'local'

  constructor(options: CountingOptions) {
    this.#options = options
    this.#memory = new MemoryCounters(options)
  }

  /** Those that are to be used with a configuration. */
  choose(config: TrafficConfig): Counters {
    const { store, openCommon, clock, log, owner } = this.#options
    this.#onLoss = config.onLoss
    const memory = this.#memory
    const place = config.counters ?? (openCommon !== undefined ? 'redis' : isLong(config) ? 'store' : 'memory')
    if (place === 'redis' && openCommon !== undefined) {
      this.#shared ??= new SharedCounters({ common: openCommon(), memory, clock, log, onLoss: () => this.#onLoss })
      return this.#shared
    }
    if (place === 'store' && store !== undefined && isLong(config)) {
      this.#lasting ??= new LastingCounters({ memory, store, clock, log, owner, ...config.durable })
      return this.#lasting
    }
    return memory
  }

  async close(): Promise<void> {
    await this.#lasting?.close()
    await this.#shared?.close()
  }
}

/** Whether anything is counted for so long that it should outlive the process. */
function isLong({ limits, budgets, durable }: TrafficConfig): boolean {
  return [...limits, ...budgets].some(
    ({ windowMs, every }) => every !== undefined || (windowMs ?? 0) >= durable.minWindowMs,
  )
}
