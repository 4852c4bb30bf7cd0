import type { Clock } from '@crosspoint/mcp'

/** What is to be counted, and how far a count may go. */
export interface Charge {
  /** What is counted, and for whom: holds the tenant and the id of a caller where there is one. */
  readonly key: string
  readonly amount: number
  /** Most in any stretch of `windowMs`. */
  readonly max: number
  readonly windowMs: number
  /**
   * Where the count is of a stretch of the calendar: in how many milliseconds that ends. Its key is of this stretch only.
   * Absent for a window that slides.
   */
  readonly leftMs?: number
}

export type Taken =
  | { readonly isTaken: true }
  /** Nothing was counted: of the charge at this place there would have been too much. */
  | {
      readonly isTaken: false
      readonly at: number
      readonly retryAfterMs: number
      /** Not because there would be too much: nobody can tell now. */
      readonly isAway?: true
    }

/** Where counts are kept: in memory, or wherever all replicas find them. */
export interface Counters {
  /** Counts all charges or none. A driver that can say so at once returns no promise. */
  take(charges: readonly Charge[]): Taken | Promise<Taken>
  /** How many keys are known. */
  readonly size: number
  /** What else there is to be told in metrics, by name. */
  readonly figures?: Readonly<Record<string, number>>
  /** Keeps what is to be kept. */
  close?(): Promise<void>
}

/** What was counted earlier, or elsewhere. */
export interface Counted extends Pick<Charge, 'key' | 'amount' | 'windowMs' | 'leftMs'> {
  /** How long ago. */
  readonly ageMs: number
}

export interface MemoryCountersOptions {
  readonly clock: Clock
  /** Most keys. Beyond it the one that was made first is forgotten. Default 100,000; each takes some 300 bytes. */
  readonly maxKeys?: number
}

/**
 * Counts in this process, which end with it. A window is looked at in sixteenths, of which the oldest is counted whole,
 * so that no stretch of its length holds more than `max`: neither at the border of two windows nor anywhere else.
 */
export class MemoryCounters implements Counters {
  readonly #clock: Clock
  readonly #maxKeys: number
  readonly #counts = new Map<string, Count>()
  /** How many keys there may be before those are looked for that hold nothing any more. */
  #sweepAt = 1_024

  constructor({ clock, maxKeys = 100_000 }: MemoryCountersOptions) {
    this.#clock = clock
    this.#maxKeys = maxKeys
  }

  get size(): number {
    return this.#counts.size
  }

  take(charges: readonly Charge[]): Taken {
    const now = this.#clock.now()
    for (let at = 0; at < charges.length; at++) {
      const charge = charges[at] as Charge // within its bounds
      const count = this.#counts.get(charge.key)
      // The same count for two charges of one call is the configuration's to avoid: names are unique.
      const retryAfterMs = count?.waitFor(charge, now) ?? (charge.amount > charge.max ? waitForever(charge) : 0)
      if (retryAfterMs > 0) return { isTaken: false, at, retryAfterMs }
    }
    for (const charge of charges) this.#countOf(charge, now).add(charge.amount)
    return TAKEN
  }

  /** Counts what was let through already, however much it is. */
  count(counted: Counted): void {
    const now = this.#clock.now()
    this.#countOf(counted, now).addAged(counted.amount, counted.ageMs, now)
  }

  #countOf({ key, windowMs, leftMs }: Pick<Charge, 'key' | 'windowMs' | 'leftMs'>, now: number): Count {
    const known = this.#counts.get(key)
    if (known !== undefined) return known
    if (this.#counts.size >= this.#sweepAt) this.#sweep(now)
    const made = leftMs === undefined ? new Window(windowMs, now) : new Stretch(now + leftMs)
    this.#counts.set(key, made)
    return made
  }

  #sweep(now: number): void {
    for (const [key, count] of this.#counts) if (count.isOver(now)) this.#counts.delete(key)
    while (this.#counts.size >= this.#maxKeys) {
      const [oldest] = this.#counts.keys()
      if (oldest === undefined) break
      this.#counts.delete(oldest)
    }
    this.#sweepAt = Math.min(this.#maxKeys, this.#counts.size * 2 + 1_024)
  }
}

interface Count {
  /** How long until there is room for the amount, in milliseconds; 0 where there is. */
  waitFor(charge: Charge, now: number): number
  /** Right after {@link waitFor}, or when it is new. */
  add(amount: number): void
  addAged(amount: number, ageMs: number, now: number): void
  isOver(now: number): boolean
}

/** What was counted in a stretch of the calendar. */
class Stretch implements Count {
  #total = 0
  #until: number

  constructor(until: number) {
    this.#until = until
  }

  waitFor({ amount, max, leftMs = 0 }: Charge, now: number): number {
    // The clock it goes by may have been set.
    this.#until = now + leftMs
    return this.#total + amount > max ? Math.max(1, Math.ceil(leftMs)) : 0
  }

  add(amount: number): void {
    this.#total += amount
  }

  addAged(amount: number): void {
    this.#total += amount
  }

  isOver(now: number): boolean {
    return now >= this.#until
  }
}

/** What was counted in each part of the time that counts. */
class Window implements Count {
  readonly #partMs: number
  /** One more than a window has: the oldest counts whole for as long as any of it counts. */
  readonly #parts = new Float64Array(PARTS + 1)
  #total = 0
  /** The number of the newest part since the clock began. */
  #newest: number

  constructor(windowMs: number, now: number) {
    this.#partMs = windowMs / PARTS
    this.#newest = Math.floor(now / this.#partMs)
  }

  waitFor({ amount, max, windowMs }: Charge, now: number): number {
    this.#advance(now)
    const excess = this.#total + amount - max
    if (excess <= 0) return 0
    if (amount > max) return windowMs
    let freed = 0
    for (let age = PARTS; age >= 0; age--) {
      const part = this.#newest - age
      freed += this.#parts[toSlot(part)] ?? 0
      if (freed >= excess) return Math.max(1, Math.ceil((part + PARTS + 1) * this.#partMs - now))
    }
    return windowMs
  }

  add(amount: number): void {
    const slot = toSlot(this.#newest)
    this.#parts[slot] = (this.#parts[slot] ?? 0) + amount
    this.#total += amount
  }

  addAged(amount: number, ageMs: number, now: number): void {
    this.#advance(now)
    const part = Math.floor((now - ageMs) / this.#partMs)
    if (this.#newest - part > PARTS) return
    const slot = toSlot(part)
    this.#parts[slot] = (this.#parts[slot] ?? 0) + amount
    this.#total += amount
  }

  isOver(now: number): boolean {
    this.#advance(now)
    return this.#total === 0
  }

  #advance(now: number): void {
    const part = Math.floor(now / this.#partMs)
    if (part - this.#newest > PARTS) {
      this.#parts.fill(0)
      this.#total = 0
      this.#newest = part
    }
    while (this.#newest < part) {
      const slot = toSlot(++this.#newest)
      this.#total -= this.#parts[slot] ?? 0
      this.#parts[slot] = 0
    }
  }
}

/** What can never be let through has to wait for another stretch, or another configuration. */
function waitForever({ windowMs, leftMs = windowMs }: Charge): number {
  return Math.max(1, Math.ceil(leftMs))
}

/** Parts may be from before the clock began. */
function toSlot(part: number): number {
  const slot = part % (PARTS + 1)
  return slot < 0 ? slot + PARTS + 1 : slot
}

/** In so many parts a window is looked at. */
export const PARTS = 16
const TAKEN: Taken = Object.freeze({ isTaken: true })
