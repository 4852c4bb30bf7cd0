import type { Clock } from '@crosspoint/mcp'

/** What is to be counted, and how far a count may go. */
export interface Charge {
  /** What is counted, and for whom: holds the tenant and the id of a caller where there is one. */
  readonly key: string
  readonly amount: number
  /** Most in any stretch of `windowMs`. */
  readonly max: number
  readonly windowMs: number
}

export type Taken =
  | { readonly isTaken: true }
  /** Nothing was counted: of the charge at this place there would have been too much. */
  | { readonly isTaken: false; readonly at: number; readonly retryAfterMs: number }

/** Where counts are kept: in memory, or wherever all replicas find them. */
export interface Counters {
  /** Counts all charges or none. A driver that can say so at once returns no promise. */
  take(charges: readonly Charge[]): Taken | Promise<Taken>
  /** How many keys are known. */
  readonly size: number
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
  readonly #windows = new Map<string, Window>()
  /** How many keys there may be before those are looked for that hold nothing any more. */
  #sweepAt = 1_024

  constructor({ clock, maxKeys = 100_000 }: MemoryCountersOptions) {
    this.#clock = clock
    this.#maxKeys = maxKeys
  }

  get size(): number {
    return this.#windows.size
  }

  take(charges: readonly Charge[]): Taken {
    const now = this.#clock.now()
    for (let at = 0; at < charges.length; at++) {
      const charge = charges[at] as Charge // within its bounds
      const window = this.#windows.get(charge.key)
      // The same count for two charges of one call is the configuration's to avoid: names are unique.
      const retryAfterMs = window?.waitFor(charge, now) ?? (charge.amount > charge.max ? charge.windowMs : 0)
      if (retryAfterMs > 0) return { isTaken: false, at, retryAfterMs }
    }
    for (const charge of charges) this.#windowOf(charge, now).add(charge.amount)
    return TAKEN
  }

  #windowOf({ key, windowMs }: Charge, now: number): Window {
    const known = this.#windows.get(key)
    if (known !== undefined) return known
    if (this.#windows.size >= this.#sweepAt) this.#sweep(now)
    const made = new Window(windowMs, now)
    this.#windows.set(key, made)
    return made
  }

  #sweep(now: number): void {
    for (const [key, window] of this.#windows) if (window.isOver(now)) this.#windows.delete(key)
    while (this.#windows.size >= this.#maxKeys) {
      const [oldest] = this.#windows.keys()
      if (oldest === undefined) break
      this.#windows.delete(oldest)
    }
    this.#sweepAt = Math.min(this.#maxKeys, this.#windows.size * 2 + 1_024)
  }
}

/** What was counted in each part of the time that counts. */
class Window {
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

  /** How long until there is room for the amount, in milliseconds; 0 where there is. */
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

  /** Right after {@link waitFor}, or when it is new. */
  add(amount: number): void {
    const slot = toSlot(this.#newest)
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

function toSlot(part: number): number {
  return part % (PARTS + 1)
}

const PARTS = 16
const TAKEN: Taken = Object.freeze({ isTaken: true })
