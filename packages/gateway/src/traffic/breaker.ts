import type { BreakerConfig } from '../config/model-traffic.ts'

/** Where a breaker is. */
export type BreakerState =
  /** Calls pass; those of a while are counted. */
  | { readonly kind: 'closed'; readonly since: number; readonly calls: number; readonly failures: number }
  /** No call passes until then. */
  | { readonly kind: 'open'; readonly until: number }
  /** One call finds out whether the server is well again. */
  | { readonly kind: 'probing'; readonly until: number }

export type BreakerEvent =
  /** A call wants to pass. */
  | { readonly kind: 'asked' }
  | { readonly kind: 'answered' }
  /** A call failed on the way, or nothing came; the server may have said when to come back. */
  | { readonly kind: 'failed'; readonly retryAfterMs: number | undefined }
  /** Nothing was learnt: the caller went away, or the call was never sent. */
  | { readonly kind: 'nothing' }

type Settings = Pick<BreakerConfig, 'failures' | 'windowMs' | 'openMs'>

/** The whole life of a breaker. What comes late, of calls that passed before it opened, leaves it as it is. */
export function advance(state: BreakerState, event: BreakerEvent, now: number, settings: Settings): BreakerState {
  switch (state.kind) {
    case 'closed':
      return event.kind === 'answered' || event.kind === 'failed' ? count(state, event, now, settings) : state
    case 'open':
      return event.kind === 'asked' && now >= state.until ? { kind: 'probing', until: now + PROBE_MS } : state
    case 'probing':
      if (event.kind === 'answered') return toClosed(now)
      if (event.kind === 'failed') return toOpen(event, now, settings)
      // One that was forgotten must not keep it shut.
      if (event.kind === 'asked') return now >= state.until ? { kind: 'probing', until: now + PROBE_MS } : state
      return { kind: 'open', until: now }
  }
}

/** In how many milliseconds a call may pass that comes in this state; undefined where it passes. */
export function toWait(before: BreakerState, after: BreakerState, now: number): number | undefined {
  if (after.kind === 'closed' || (after.kind === 'probing' && after !== before)) return undefined
  return after.kind === 'open' ? Math.max(1, after.until - now) : 1_000
}

export function toClosed(now: number): BreakerState {
  return { kind: 'closed', since: now, calls: 0, failures: 0 }
}

function count(
  state: Extract<BreakerState, { kind: 'closed' }>,
  event: Extract<BreakerEvent, { kind: 'answered' | 'failed' }>,
  now: number,
  settings: Settings,
): BreakerState {
  const isOver = now - state.since > settings.windowMs
  // Nothing is made for a call that went well where none has failed lately.
  if (event.kind === 'answered' && (isOver || state.failures === 0)) return state.failures === 0 ? state : toClosed(now)
  const { since, calls, failures } = isOver || state.failures === 0 ? { since: now, calls: 0, failures: 0 } : state
  const isFailed = event.kind === 'failed'
  const next = { kind: 'closed' as const, since, calls: calls + 1, failures: failures + (isFailed ? 1 : 0) }
  const isTooMany = next.failures >= settings.failures && next.failures * 2 >= next.calls
  return isFailed && isTooMany ? toOpen(event, now, settings) : next
}

function toOpen(
  { retryAfterMs = 0 }: { readonly retryAfterMs: number | undefined },
  now: number,
  { openMs }: Settings,
): BreakerState {
  return { kind: 'open', until: now + Math.min(Math.max(openMs, retryAfterMs), MAX_OPEN_MS) }
}

/** How long one call that finds out keeps the others back. */
const PROBE_MS = 60_000
/** However long a server says. */
const MAX_OPEN_MS = 10 * 60_000
