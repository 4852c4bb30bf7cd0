export interface KeptBounds {
  readonly maxEntries: number
  readonly maxBytes: number
}

interface Entry<T> {
  readonly value: T
  readonly bytes: number
  readonly tag: string | undefined
}

/** So many values of so many bytes, those used last. */
export class Kept<T> {
  readonly #bounds: KeptBounds
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry<T>>()
  /** Keys by tag: all of one tag go together. */
  readonly #tagged = new Map<string, Set<string>>()
  #bytes = 0

  constructor(bounds: KeptBounds) {
    this.#bounds = bounds
  }

  get size(): number {
    return this.#entries.size
  }

  get bytes(): number {
    return this.#bytes
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.value
  }

  set(key: string, value: T, bytes: number, tag: string | undefined): void {
    this.drop(key)
    const { maxEntries, maxBytes } = this.#bounds
    if (bytes > maxBytes) return
    this.#entries.set(key, { value, bytes, tag })
    this.#bytes += bytes
    if (tag !== undefined) this.#keysOf(tag).add(key)
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= maxEntries && this.#bytes <= maxBytes) return
      this.drop(oldest)
    }
  }

  drop(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
    if (entry.tag === undefined) return
    const keys = this.#keysOf(entry.tag)
    keys.delete(key)
    if (keys.size === 0) this.#tagged.delete(entry.tag)
  }

  dropOf(tag: string): void {
    for (const key of [...(this.#tagged.get(tag) ?? [])]) this.drop(key)
  }

  #keysOf(tag: string): Set<string> {
    const known = this.#tagged.get(tag) ?? new Set()
    this.#tagged.set(tag, known)
    return known
  }
}
