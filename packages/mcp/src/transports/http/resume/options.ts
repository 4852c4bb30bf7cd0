import type { Clock } from '../../../peer/clock.ts'
import type { Log } from '../../../peer/served.ts'
import type { EventStore } from './event-store.ts'
import { createMemoryEventStore } from './memory-store.ts'

/** How streams of sessions are kept for clients that lose them. */
export interface ResumeOptions {
  /** Default: a `createMemoryEventStore()` of the endpoint's own. */
  readonly store?: EventStore
  /**
   * How long a client is asked to stay away before it comes back for a stream: one that it lost, as far as its revision
   * knows of that, and one that was let go on purpose. Default 1 s.
   */
  readonly retryMs?: number
  /**
   * Lets go of a connection that has been a stream for so long, where the caller's revision knows to come back: what
   * it waits for is told then. Default: never.
   */
  readonly pollAfterMs?: number
  /** Most answers one session may take up again at once. Default 64. */
  readonly maxResumed?: number
}

/** The same with every default filled in, once per endpoint. */
export interface Resume {
  readonly store: EventStore
  readonly retryMs: number
  readonly pollAfterMs: number | undefined
  readonly maxResumed: number
  readonly clock: Clock
  readonly log: Log
}

export function toResume(options: ResumeOptions | false | undefined, clock: Clock, log: Log): Resume | undefined {
  if (options === false) return undefined
  return {
    store: options?.store ?? createMemoryEventStore({ clock }),
    retryMs: options?.retryMs ?? 1_000,
    pollAfterMs: options?.pollAfterMs,
    maxResumed: options?.maxResumed ?? 64,
    clock,
    log,
  }
}
