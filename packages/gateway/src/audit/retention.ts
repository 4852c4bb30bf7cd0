import type { Clock, JsonObject, Timer } from '@crosspoint/mcp'
import type { Log } from '../log.ts'
import type { AuditStore } from '../stores/contract/audit-store.ts'

export interface RetentionOptions {
  readonly store: AuditStore
  readonly clock: Clock
  readonly log: Log
  /** How long records are kept. */
  readonly days: number
  /** Told what is no longer there, so that it is not taken for removed. */
  readonly forgot: (about: JsonObject) => void
}

/** Forgets what is old, a minute after the start and then once a day. */
export class Retention {
  readonly #options: RetentionOptions
  #timer: Timer | undefined
  #isStopped = false

  constructor(options: RetentionOptions) {
    this.#options = options
  }

  start(): void {
    this.#runIn(60_000)
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  #runIn(ms: number): void {
    if (this.#isStopped) return
    this.#timer = this.#options.clock.setTimer(ms, () => void this.#run())
  }

  async #run(): Promise<void> {
    const { store, clock, log, days, forgot } = this.#options
    try {
      const olderThan = clock.wallNow() - days * DAY_MS
      const before = await store.chains()
      const records = await store.forget(olderThan)
      if (records > 0) forgot({ olderThan, records, begins: toBegins(before, await store.chains()) })
    } catch (error) {
      log.error({ error }, 'Old records could not be forgotten; trying again tomorrow')
    }
    this.#runIn(DAY_MS)
  }
}

type Chains = Awaited<ReturnType<AuditStore['chains']>>

/** Where each chain that lost something begins now; one of which nothing is left, behind its last row. */
function toBegins(before: Chains, after: Chains): JsonObject {
  const now = new Map(after.map(({ chain, first }) => [chain, first]))
  return Object.fromEntries(
    before.flatMap(({ chain, first, last }) => {
      const begins = now.get(chain) ?? last + 1
      return begins === first ? [] : [[chain, begins]]
    }),
  )
}

const DAY_MS = 24 * 3_600_000
