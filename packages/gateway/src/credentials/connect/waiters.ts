import type { Call, Clock, Timer } from '@crosspoint/mcp'
import type { CredentialOwner } from '../sealed-tokens.ts'

interface Waiter {
  readonly tell: () => void
  readonly timer: Timer
}

/** Who wants to hear that somebody has signed in; for a while, and so many of them. */
export class Waiters {
  readonly #clock: Clock
  readonly #byOwner = new Map<string, Set<Waiter>>()
  #size = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @returns what ends it */
  add(server: string, owner: CredentialOwner, tell: () => void, ms: number): () => void {
    const key = toKey(server, owner)
    const waiting = this.#byOwner.get(key) ?? new Set()
    if (waiting.size >= MAX_PER_OWNER || this.#size >= MAX_WAITING) return () => {}
    const end = () => {
      if (!waiting.delete(waiter)) return
      this.#size--
      waiter.timer.cancel()
      if (waiting.size === 0 && this.#byOwner.get(key) === waiting) this.#byOwner.delete(key)
    }
    const waiter: Waiter = { tell, timer: this.#clock.setTimer(ms, end) }
    this.#byOwner.set(key, waiting.add(waiter))
    this.#size++
    return end
  }

  until(server: string, owner: CredentialOwner, { cancellation }: Call, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        end()
        timer.cancel()
        cancellation.unwatch(watcher)
        resolve()
      }
      const watcher = { cancelled: done }
      const end = this.add(server, owner, done, ms)
      const timer = this.#clock.setTimer(ms, done)
      if (cancellation.isCancelled) done()
      else cancellation.watch(watcher)
    })
  }

  tell(server: string, owner: CredentialOwner): void {
    const key = toKey(server, owner)
    const waiting = [...(this.#byOwner.get(key) ?? [])]
    this.#byOwner.delete(key)
    this.#size -= waiting.length
    for (const { tell, timer } of waiting) {
      timer.cancel()
      tell()
    }
  }

  close(): void {
    for (const waiting of this.#byOwner.values()) for (const { timer } of waiting) timer.cancel()
    this.#byOwner.clear()
    this.#size = 0
  }
}

function toKey(server: string, { tenant, principal }: CredentialOwner): string {
  return JSON.stringify([server, tenant, principal])
}

const MAX_PER_OWNER = 32
const MAX_WAITING = 10_000
