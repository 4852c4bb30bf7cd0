import type { Clock } from '../peer/clock.ts'

export interface CacheStoreOptions {
  readonly clock: Clock
  readonly maxEntries: number
  readonly maxBytes: number
  /** How long something is kept after it is out of date, for {@link CacheStore.readStale}. */
  readonly keepStaleMs: number
}

interface Entry {
  readonly text: string
  /** The URI it is of, if any. */
  readonly uri: string | undefined
  /** On the clock. From here on it is out of date. */
  readonly until: number
}

/** Texts by key, each for a time, within bounds; the one not used for longest makes room. A key begins with its method. */
export class CacheStore {
  readonly #options: CacheStoreOptions
  /** In order of use, the oldest first. */
  readonly #entries = new Map<string, Entry>()
  #bytes = 0

  constructor(options: CacheStoreOptions) {
    this.#options = options
  }

  read(key: string): string | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined || entry.until <= this.#options.clock.now()) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.text
  }

  /** The same of what is out of date, but not for too long. */
  readStale(key: string): string | undefined {
    const entry = this.#entries.get(key)
    const { clock, keepStaleMs } = this.#options
    return entry === undefined || entry.until + keepStaleMs <= clock.now() ? undefined : entry.text
  }

  write(key: string, text: string, ttlMs: number, uri?: string): void {
    this.delete(key)
    const bytes = bytesOf(key, text)
    const { clock, maxBytes, maxEntries } = this.#options
    if (bytes > maxBytes || maxEntries < 1) return
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes + bytes <= maxBytes && this.#entries.size < maxEntries) break
      this.delete(oldest)
    }
    this.#bytes += bytes
    this.#entries.set(key, { text, uri, until: clock.now() + ttlMs })
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#bytes -= bytesOf(key, entry.text)
  }

  /** Of what was kept of a method: keys and URIs. */
  keysOf(method: string): readonly (readonly [key: string, uri: string | undefined])[] {
    const found: [string, string | undefined][] = []
    for (const [key, { uri }] of this.#entries) if (key.startsWith(`${method} `)) found.push([key, uri])
    return found
  }
}

function bytesOf(key: string, text: string): number {
  return 2 * (key.length + text.length)
}
