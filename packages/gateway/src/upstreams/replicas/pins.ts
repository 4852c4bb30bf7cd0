/** Which replica has the session of whom, as long as anybody comes for it. */
export class Pins<T> {
  readonly #pins = new Map<string, { readonly to: T; readonly at: number }>()
  readonly #max: number

  /** @param max most of them; whoever came least of late is forgotten first, and placed anew */
  constructor(max = MAX_PINS) {
    this.#max = max
  }

  get size(): number {
    return this.#pins.size
  }

  /** @param idleMs after which a session is over that nobody uses */
  find(key: string, now: number, idleMs: number): T | undefined {
    const found = this.#pins.get(key)
    return found === undefined || now - found.at > idleMs ? undefined : found.to
  }

  set(key: string, to: T, now: number): void {
    this.#pins.delete(key)
    this.#pins.set(key, { to, at: now })
    if (this.#pins.size <= this.#max) return
    const [oldest] = this.#pins.keys()
    if (oldest !== undefined) this.#pins.delete(oldest)
  }
}

const MAX_PINS = 10_000
