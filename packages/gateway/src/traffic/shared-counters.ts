import type { Clock } from '@crosspoint/mcp'
import type { OnCountersLost } from '../config/model-traffic.ts'
import type { Log } from '../log.ts'
import type { Charge, Counters, MemoryCounters, Taken } from './counters.ts'

/** Counts that replicas have in common, somewhere that may be away. */
export interface CommonCounts {
  /** How many replicas count there, as far as is known. */
  readonly replicas: number
  /** @throws where nobody answers in time; then it may have been counted */
  take(charges: readonly Charge[]): Promise<Taken>
  close(): Promise<void>
}

export interface SharedCountersOptions {
  readonly common: CommonCounts
  /** What this replica let through itself is counted here as well: with it, it goes on alone. */
  readonly memory: MemoryCounters
  readonly clock: Clock
  readonly log: Log
  readonly onLoss: () => OnCountersLost
}

/**
 * Counts together with other replicas. While that cannot be done, this one counts for itself, with its share of what there
 * may be, or nothing passes. After a few calls that waited in vain no other one waits; one in a while finds out.
 */
export class SharedCounters implements Counters {
  readonly #options: SharedCountersOptions
  #failures = 0
  #leftAloneUntil = 0
  #alone = 0
  #isAway = false

  constructor(options: SharedCountersOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#options.memory.size
  }

  get figures(): Readonly<Record<string, number>> {
    return { counters_away: this.#isAway ? 1 : 0, counted_alone: this.#alone }
  }

  take(charges: readonly Charge[]): Taken | Promise<Taken> {
    const now = this.#options.clock.now()
    if (this.#failures >= MAX_FAILURES) {
      if (now < this.#leftAloneUntil) return this.#takeAlone(charges)
      this.#leftAloneUntil = now + LEFT_ALONE_MS // for all but this one
    }
    return this.#takeTogether(charges)
  }

  close(): Promise<void> {
    return this.#options.common.close()
  }

  async #takeTogether(charges: readonly Charge[]): Promise<Taken> {
    const { common, memory, clock } = this.#options
    try {
      const taken = await common.take(charges)
      this.#back()
      if (taken.isTaken) for (const charge of charges) memory.count({ ...charge, ageMs: 0 })
      return taken
    } catch (error) {
      this.#failures++
      this.#leftAloneUntil = clock.now() + LEFT_ALONE_MS
      this.#lost(error)
      return this.#takeAlone(charges)
    }
  }

  #takeAlone(charges: readonly Charge[]): Taken {
    const { common, memory, onLoss } = this.#options
    this.#alone++
    if (onLoss() === 'refuse') return { isTaken: false, at: 0, retryAfterMs: LEFT_ALONE_MS, isAway: true }
    const { replicas } = common
    // What is dearer than a share passes once in a while nevertheless.
    return memory.take(
      charges.map((charge) => ({
        ...charge,
        max: Math.max(Math.floor(charge.max / replicas), Math.min(charge.amount, charge.max)),
      })),
    )
  }

  #lost(error: unknown): void {
    if (this.#isAway) return
    this.#isAway = true
    const { log, onLoss, common } = this.#options
    const about = { error: String(error), replicas: common.replicas }
    if (onLoss() === 'refuse') log.warn(about, 'Calls cannot be counted, and are refused where they are limited')
    else log.warn(about, 'Calls are counted by this replica alone, up to its share')
  }

  #back(): void {
    this.#failures = 0
    if (!this.#isAway) return
    this.#isAway = false
    this.#options.log.info({}, 'Calls are counted together with other replicas again')
  }
}

const MAX_FAILURES = 3
const LEFT_ALONE_MS = 2_000
