import type { Clock } from '@crosspoint/mcp'

/**
 * How often tokens from an address were no good. Beyond some, none from there is looked at for a while but those that were
 * good before, so that guessing is slow and whoever is known is not shut out by it.
 */
export class Attempts {
  readonly #clock: Clock
  readonly #bad = new Map<string, { count: number; readonly until: number }>()
  readonly #good = new Set<string>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Milliseconds; 0: the token may be looked at. */
  waitFor(from: string, digest: string): number {
    const known = this.#bad.get(from)
    const left = (known?.until ?? 0) - this.#clock.now()
    if (known === undefined || left <= 0 || known.count < MAX_BAD || this.#good.has(digest)) return 0
    return left
  }

  bad(from: string): void {
    const now = this.#clock.now()
    const known = this.#bad.get(from)
    if (known !== undefined && now < known.until) known.count++
    else {
      this.#bad.delete(from)
      this.#bad.set(from, { count: 1, until: now + WINDOW_MS })
      dropOldest(this.#bad, MAX_ADDRESSES)
    }
  }

  good(digest: string): void {
    this.#good.delete(digest)
    this.#good.add(digest)
    dropOldest(this.#good, MAX_GOOD)
  }
}

function dropOldest(
  from: { readonly size: number; keys(): Iterator<string>; delete(key: string): boolean },
  max: number,
) {
  if (from.size <= max) return
  const { value } = from.keys().next()
  if (value !== undefined) from.delete(value)
}

const WINDOW_MS = 60_000
const MAX_BAD = 20
const MAX_ADDRESSES = 1_000
const MAX_GOOD = 100
