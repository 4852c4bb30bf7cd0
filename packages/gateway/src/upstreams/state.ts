import type { RestartConfig } from '../config/model.ts'

/** Where an upstream is in its life. `reason` is a sentence for people. */
export type UpstreamState =
  | { readonly kind: 'stopped' }
  /** Configured and switched off. */
  | { readonly kind: 'disabled' }
  /** Connecting, or connected and asked for the first time what it offers. */
  | { readonly kind: 'starting'; readonly failures: Failures; readonly reason?: string }
  | { readonly kind: 'ready'; readonly failures: Failures; readonly upAt: number }
  /** Connected and useful, but some of what it offers could not be learnt. */
  | { readonly kind: 'degraded'; readonly failures: Failures; readonly upAt: number; readonly reason: string }
  | { readonly kind: 'backing-off'; readonly failures: Failures; readonly delayMs: number; readonly reason: string }
  | { readonly kind: 'needs-sign-in'; readonly failures: Failures; readonly delayMs: number; readonly reason: string }
  /** Given up: too many starts in a row came to nothing. */
  | { readonly kind: 'failed'; readonly reason: string }

export interface Failures {
  /** Losses since it last stayed up for a while: the wait before the next start grows with them. */
  readonly recent: number
  /** Starts in a row after which it never was ready: too many, and it is given up. */
  readonly stillborn: number
}

const NO_FAILURES: Failures = Object.freeze({ recent: 0, stillborn: 0 })

export type UpstreamEvent =
  /** By hand, by configuration, or because a wait is over. */
  | { readonly kind: 'start' }
  /** What the server offers is known as far as it can be; `problem` says what is missing. */
  | { readonly kind: 'surveyed'; readonly problem: string | undefined }
  /** No connection could be made, or the one there was is gone. */
  | { readonly kind: 'lost'; readonly cause: 'gone' | 'sign-in'; readonly reason: string }
  | { readonly kind: 'stop' }

/** What a transition depends on besides state and event. */
export interface Circumstances {
  readonly now: number
  readonly restart: RestartConfig
  /** Most starts in a row that may come to nothing. Infinity for servers that are not ours to start. */
  readonly maxStillborn: number
  /** How soon to come back to a server that wants a sign-in, in milliseconds. Default 5 minutes. */
  readonly signInRetryMs?: number
  /** In [0, 1). */
  readonly random: () => number
}

/** The whole life of an upstream. An event that means nothing in a state leaves it as it is. */
export function advance(state: UpstreamState, event: UpstreamEvent, at: Circumstances): UpstreamState {
  switch (event.kind) {
    case 'stop':
      return { kind: 'stopped' }
    case 'start':
      return isWaiting(state) ? toStarting(state) : state
    case 'surveyed':
      return toSurveyed(state, event.problem, at)
    case 'lost':
      return toLost(state, event, at)
  }
}

/** Whether a `start` takes it anywhere. */
function isWaiting(state: UpstreamState): boolean {
  return (
    state.kind === 'stopped' ||
    state.kind === 'backing-off' ||
    state.kind === 'needs-sign-in' ||
    state.kind === 'failed'
  )
}

function toStarting(state: UpstreamState): UpstreamState {
  const failures = 'failures' in state ? state.failures : NO_FAILURES
  return 'reason' in state && state.reason !== undefined
    ? { kind: 'starting', failures, reason: state.reason }
    : { kind: 'starting', failures }
}

function toSurveyed(state: UpstreamState, problem: string | undefined, { now }: Circumstances): UpstreamState {
  if (state.kind !== 'starting' && state.kind !== 'ready' && state.kind !== 'degraded') return state
  const upAt = state.kind === 'starting' ? now : state.upAt
  const failures = state.failures.stillborn === 0 ? state.failures : { ...state.failures, stillborn: 0 }
  if (problem !== undefined) return { kind: 'degraded', failures, upAt, reason: problem }
  return state.kind === 'ready' ? state : { kind: 'ready', failures, upAt }
}

function toLost(
  state: UpstreamState,
  { cause, reason }: { readonly cause: 'gone' | 'sign-in'; readonly reason: string },
  { now, restart, maxStillborn, random, signInRetryMs = SIGN_IN_RETRY_MS }: Circumstances,
): UpstreamState {
  if (state.kind !== 'starting' && state.kind !== 'ready' && state.kind !== 'degraded') return state
  const lasted = state.kind !== 'starting' && now - state.upAt >= restart.resetAfterMs
  const failures = {
    recent: lasted ? 1 : state.failures.recent + 1,
    stillborn: state.kind === 'starting' ? state.failures.stillborn + 1 : 0,
  }
  if (cause === 'sign-in') {
    return { kind: 'needs-sign-in', failures, delayMs: Math.max(signInRetryMs, restart.maxDelayMs), reason }
  }
  if (failures.stillborn > maxStillborn) return { kind: 'failed', reason }
  return { kind: 'backing-off', failures, delayMs: toDelay(failures.recent, restart, random), reason }
}

/**
 * Exponential from `minDelayMs` to `maxDelayMs`, of which the upper half is drawn by lot, so that many gateways do
 * not come back to one server at the same moment.
 * @param failures in a row, the latest included
 */
export function toDelay(
  failures: number,
  { minDelayMs, maxDelayMs }: Pick<RestartConfig, 'minDelayMs' | 'maxDelayMs'>,
  random: () => number,
): number {
  const ceiling = Math.min(maxDelayMs, minDelayMs * 2 ** Math.min(failures - 1, 30))
  return Math.round(ceiling / 2 + (ceiling / 2) * random())
}

/** A refusal for want of credentials does not heal by asking often, and asking often looks like guessing. */
const SIGN_IN_RETRY_MS = 300_000
