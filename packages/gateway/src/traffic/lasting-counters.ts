import type { Clock, Timer } from '@crosspoint/mcp'
import type { Log } from '../log.ts'
import type { CounterStore, KeptCount } from '../stores/contract/counter-store.ts'
import { type Charge, type Counters, type MemoryCounters, PARTS, type Taken } from './counters.ts'

export interface LastingCountersOptions {
  readonly memory: MemoryCounters
  readonly store: CounterStore
  readonly clock: Clock
  readonly log: Log
  /** Of this process, and no other. */
  readonly owner: string
  /** Windows that are shorter are not kept. */
  readonly minWindowMs: number
  /** How long after a call its count is kept: what a crash may lose. */
  readonly writeDelayMs: number
}

/** What this process counted in one part of a window. */
interface Own extends Pick<KeptCount, 'key' | 'part' | 'windowMs' | 'expiresAt'> {
  amount: number
}

/**
 * Counts in memory whose long windows are written behind, all that changed at once, and found again at the start: what all
 * processes counted that use the store. No call waits for the store but the first ones for what was counted before.
 */
export class LastingCounters implements Counters {
  readonly #options: LastingCountersOptions
  readonly #own = new Map<string, Own>()
  readonly #changed = new Set<Own>()
  #restoring: Promise<void> | undefined
  #isRestored = false
  #isWaitedFor = true
  #writing: Promise<void> | undefined
  #timer: Timer | undefined
  #forgetAt: number
  #isFailing = false
  #lost = 0

  constructor(options: LastingCountersOptions) {
    this.#options = options
    this.#forgetAt = options.clock.now()
    this.#restore()
    options.clock.setTimer(RESTORE_WAIT_MS, () => {
      this.#isWaitedFor = false
    })
  }

  get size(): number {
    return this.#options.memory.size
  }

  get figures(): Readonly<Record<string, number>> {
    return { counts_unwritten: this.#changed.size, counts_lost: this.#lost }
  }

  take(charges: readonly Charge[]): Taken | Promise<Taken> {
    if (!this.#isRestored && this.#isWaitedFor && this.#restoring !== undefined) {
      return Promise.race([this.#restoring, this.#patience()]).then(() => this.#take(charges))
    }
    return this.#take(charges)
  }

  /** Writes what was not written yet. */
  async close(): Promise<void> {
    this.#timer?.cancel()
    await this.#restoring
    await this.#writing
    await this.#write()
    this.#timer?.cancel()
  }

  #take(charges: readonly Charge[]): Taken {
    const taken = this.#options.memory.take(charges)
    if (taken.isTaken) for (const charge of charges) this.#note(charge)
    return taken
  }

  #patience(): Promise<void> {
    return new Promise((resolve) => void this.#options.clock.setTimer(RESTORE_WAIT_MS, resolve))
  }

  #note({ key, amount, windowMs, leftMs }: Charge): void {
    const { minWindowMs, clock } = this.#options
    if (windowMs < minWindowMs) return
    const now = clock.wallNow()
    const partMs = windowMs / PARTS
    const part = leftMs === undefined ? Math.floor(now / partMs) : 0
    let own = this.#own.get(key)
    if (own?.part !== part) {
      const expiresAt = Math.ceil(leftMs === undefined ? (part + PARTS + 1) * partMs : now + leftMs)
      own = { key, part, windowMs, expiresAt, amount: 0 }
      this.#own.delete(key) // the order is that of the parts
      this.#makeRoom()
      this.#own.set(key, own)
    }
    own.amount += amount
    this.#changed.add(own)
    this.#timer ??= clock.setTimer(this.#options.writeDelayMs, () => this.#due())
  }

  #makeRoom(): void {
    if (this.#own.size >= MAX_OWN) {
      const [first] = this.#own.keys()
      if (first !== undefined) this.#own.delete(first)
    }
    if (this.#changed.size < MAX_OWN) return
    // The store is away for long: what was counted first goes first.
    const [first] = this.#changed
    if (first !== undefined) this.#changed.delete(first)
    this.#lost++
  }

  #due(): void {
    this.#timer = undefined
    if (!this.#isRestored) this.#restore()
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
      if (this.#changed.size > 0) {
        this.#timer ??= this.#options.clock.setTimer(this.#options.writeDelayMs, () => this.#due())
      }
    })
  }

  async #write(): Promise<void> {
    const { store, owner, clock } = this.#options
    const batch = [...this.#changed]
    this.#changed.clear()
    try {
      if (batch.length > 0) await store.save(batch.map((own) => ({ ...own, owner })))
      if (clock.now() >= this.#forgetAt) {
        this.#forgetAt = clock.now() + FORGET_MS
        await store.forget(clock.wallNow())
      }
      this.#tell(undefined)
    } catch (error) {
      // Whatever was written already is only written again: a count is set, and not added to.
      for (const own of batch) this.#changed.add(own)
      this.#tell(error)
    }
  }

  #restore(): void {
    this.#restoring ??= this.#read().then(
      () => {
        this.#isRestored = true
        this.#restoring = undefined
        this.#tell(undefined)
      },
      (error: unknown) => {
        this.#restoring = undefined
        this.#isWaitedFor = false
        this.#tell(error)
        this.#timer ??= this.#options.clock.setTimer(RETRY_MS, () => this.#due())
      },
    )
  }

  /** Everything is read before any of it counts, so that a second attempt counts nothing twice. */
  async #read(): Promise<void> {
    const { store, memory, clock, owner } = this.#options
    const found: KeptCount[] = []
    for (;;) {
      const after = found.at(-1)
      const page = await store.read({
        now: clock.wallNow(),
        limit: PAGE,
        ...(after !== undefined && { after }),
      })
      found.push(...page)
      if (page.length < PAGE || found.length >= MAX_RESTORED) break
    }
    const now = clock.wallNow()
    for (const count of found) {
      if (count.owner === owner) continue // it was counted while this was read
      const { key, amount, windowMs, part, expiresAt } = count
      if (part === 0) memory.count({ key, amount, windowMs, leftMs: expiresAt - now, ageMs: 0 })
      // As if all of it had been counted at the end of the part: it never counts shorter than it should.
      else memory.count({ key, amount, windowMs, ageMs: Math.max(0, now - ((part + 1) * windowMs) / PARTS) })
    }
  }

  #tell(error: unknown): void {
    const isFailing = error !== undefined
    if (isFailing === this.#isFailing) return
    this.#isFailing = isFailing
    const { log } = this.#options
    if (isFailing) log.warn({ error: String(error) }, 'Counts cannot be kept now, and are in memory only')
    else log.info({}, 'Counts are kept again')
  }
}

/** Most counts of its own a process remembers, and most that wait to be written. */
const MAX_OWN = 100_000
const MAX_RESTORED = 2_000_000
const PAGE = 2_000
const RESTORE_WAIT_MS = 2_000
const RETRY_MS = 5_000
const FORGET_MS = 600_000
