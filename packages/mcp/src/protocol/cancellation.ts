import { McpError } from '../errors.ts'

/** Who wants to know that a call was given up. */
export interface CancelWatcher {
  cancelled(): void
}

/**
 * Whether a call was given up, and why. Most calls end without anybody giving them up, and an AbortSignal costs
 * more than the rest of such a call: it is made only for those that ask for one.
 */
export interface Cancellation {
  readonly isCancelled: boolean
  readonly reason: unknown
  /** The same as a signal, made when it is first read. */
  readonly signal: AbortSignal
  /** Tells `watcher` once, when it happens; not if it has happened already. */
  watch(watcher: CancelWatcher): void
  unwatch(watcher: CancelWatcher): void
}

/** The side that gives up. */
export class CancellationSource implements Cancellation {
  #isCancelled = false
  #reason: unknown
  /** Nearly always there is one. */
  #watcher: CancelWatcher | undefined
  #others: Set<CancelWatcher> | undefined
  #controller: AbortController | undefined

  get isCancelled(): boolean {
    return this.#isCancelled
  }

  get reason(): unknown {
    return this.#reason
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#isCancelled) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  watch(watcher: CancelWatcher): void {
    if (this.#watcher === undefined) this.#watcher = watcher
    else {
      this.#others ??= new Set()
      this.#others.add(watcher)
    }
  }

  unwatch(watcher: CancelWatcher): void {
    if (this.#watcher === watcher) this.#watcher = undefined
    else this.#others?.delete(watcher)
  }

  /** Only the first reason counts. */
  cancel(reason: unknown): void {
    if (this.#isCancelled) return
    this.#isCancelled = true
    this.#reason = reason
    const first = this.#watcher
    const others = this.#others
    this.#watcher = undefined
    this.#others = undefined
    first?.cancelled()
    for (const watcher of others ?? []) watcher.cancelled()
    this.#controller?.abort(reason)
  }
}

/** The cancellation behind a signal: one listener on it, however many calls to however many servers it is behind. */
export function cancellationOf(signal: AbortSignal): Cancellation {
  const known = bySignal.get(signal)
  if (known !== undefined) return known
  const made = new CancellationSource()
  bySignal.set(signal, made)
  if (signal.aborted) made.cancel(signal.reason)
  else signal.addEventListener('abort', () => made.cancel(signal.reason), { once: true })
  return made
}

/** A reason as an error. */
export function toReason(reason: unknown): McpError {
  return reason instanceof McpError ? reason : new McpError('caller.cancelled', 'The caller cancelled the request')
}

const bySignal = new WeakMap<AbortSignal, Cancellation>()
