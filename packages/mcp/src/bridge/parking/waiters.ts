import type { Call } from '../../protocol/call.ts'

/** A run that somebody waits for. */
export interface Awaited {
  /** Says and asks what it has to say and ask to this caller from now on. */
  speakTo(call: Call): void
  /** Nobody waits any more. */
  giveUp(reason: unknown): void
}

/**
 * Who waits for the round under way. The same round may be asked for more than once, by a client whose connection
 * broke: it is given up only when the last of them has gone, and who came last and is still there is spoken to.
 */
export class Waiters {
  readonly #calls = new Set<Call>()
  readonly #run: Awaited

  constructor(run: Awaited) {
    this.#run = run
  }

  get areThere(): boolean {
    return this.#calls.size > 0
  }

  /** @returns ends the watch over this call, to be called whatever becomes of it */
  join(call: Call): () => void {
    const { cancellation } = call
    const watcher = { cancelled: () => this.#left(call) }
    this.#calls.add(call)
    this.#run.speakTo(call)
    cancellation.watch(watcher)
    if (cancellation.isCancelled) watcher.cancelled()
    return () => cancellation.unwatch(watcher)
  }

  /** The round is over: who goes now gives nothing up. */
  clear(): void {
    this.#calls.clear()
  }

  #left(call: Call): void {
    if (!this.#calls.delete(call)) return
    const last = [...this.#calls].at(-1)
    if (last === undefined) this.#run.giveUp(call.cancellation.reason)
    else this.#run.speakTo(last)
  }
}
