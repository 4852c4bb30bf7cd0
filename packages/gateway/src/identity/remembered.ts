import type { Clock } from '@crosspoint/mcp'
import { LRUCache } from 'lru-cache'

/** Answers that hold for a while, by the digest of what was asked with: no credential is kept. */
export class Remembered<T> {
  readonly #entries: LRUCache<string, { readonly value: T; readonly until: number }>
  readonly #clock: Clock
  readonly #ms: number

  constructor(clock: Clock, { cacheMs, maxCached }: { readonly cacheMs: number; readonly maxCached: number }) {
    this.#clock = clock
    this.#ms = cacheMs
    this.#entries = new LRUCache({ max: maxCached })
  }

  find(digest: string): T | undefined {
    const entry = this.#entries.get(digest)
    return entry !== undefined && this.#clock.now() < entry.until ? entry.value : undefined
  }

  keep(digest: string, value: T): void {
    if (this.#ms > 0) this.#entries.set(digest, { value, until: this.#clock.now() + this.#ms })
  }

  clear(): void {
    this.#entries.clear()
  }
}
