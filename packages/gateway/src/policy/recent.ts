/** What was asked for last, up to a number: the one not asked for the longest makes room. */
export class Recent<T> {
  readonly #max: number
  readonly #kept = new Map<string, T>()

  constructor(max: number) {
    this.#max = max
  }

  get(key: string): T | undefined {
    const found = this.#kept.get(key)
    if (found === undefined) return undefined
    this.#kept.delete(key)
    this.#kept.set(key, found)
    return found
  }

  set(key: string, value: T): void {
    this.#kept.delete(key)
    this.#kept.set(key, value)
    if (this.#kept.size <= this.#max) return
    const oldest = this.#kept.keys().next()
    if (oldest.done !== true) this.#kept.delete(oldest.value)
  }
}
