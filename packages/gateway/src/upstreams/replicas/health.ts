import type { ReplicasConfig } from '../../config/model-replicas.ts'

/** What is known of how a replica is doing, beside whether it is connected. */
export interface Health {
  /** Calls in a row that failed on the way. */
  readonly failures: number
  /** Checks in a row that nothing came of. */
  readonly unheard: number
  /** Times in a row that it was left alone. */
  readonly ejections: number
  /** No call goes there before, where another can take it: a point on the clock. */
  readonly until: number
}

export type HealthEvent =
  | { readonly kind: 'answered' }
  /** A call failed on the way, or nothing came. */
  | {
      readonly kind: 'failed'
      /** It cannot be reached at all: one failure is enough. */
      readonly isUnreachable: boolean
      /** When it wants to be asked again, where it said so. */
      readonly retryAfterMs: number | undefined
    }
  /** It was checked, and is there. */
  | { readonly kind: 'heard' }
  | { readonly kind: 'unheard' }

type Settings = Pick<ReplicasConfig, 'failures' | 'ejectMs' | 'maxEjectMs'>

export const WELL: Health = Object.freeze({ failures: 0, unheard: 0, ejections: 0, until: 0 })

/** The whole of how a replica is judged. An event that changes nothing gives the same object. */
export function advance(health: Health, event: HealthEvent, now: number, settings: Settings): Health {
  switch (event.kind) {
    case 'answered':
      return toAnswered(health, now, settings)
    case 'failed':
      return toFailed(health, event, now, settings)
    case 'heard':
      return health.unheard === 0 ? health : { ...health, unheard: 0 }
    case 'unheard':
      return { ...health, unheard: health.unheard + 1 }
  }
}

/** Whether calls go to others where there are any. */
export function isLeftAlone(
  { until, unheard }: Health,
  now: number,
  { failures }: Pick<Settings, 'failures'>,
): boolean {
  return now < until || unheard >= failures
}

function toAnswered(health: Health, now: number, settings: Settings): Health {
  const isForgotten = health.ejections > 0 && now >= health.until + toPause(health.ejections, settings)
  if (health.failures === 0 && !isForgotten) return health
  return { ...health, failures: 0, ejections: isForgotten ? 0 : health.ejections }
}

function toFailed(
  health: Health,
  { isUnreachable, retryAfterMs }: Extract<HealthEvent, { kind: 'failed' }>,
  now: number,
  settings: Settings,
): Health {
  // Of calls that were on their way when it was left alone nothing new is learnt.
  if (now < health.until) return health
  if (retryAfterMs !== undefined) return { ...health, until: now + Math.min(retryAfterMs, settings.maxEjectMs) }
  const failures = health.failures + 1
  if (!isUnreachable && failures < settings.failures) return { ...health, failures }
  const ejections = health.ejections + 1
  return { ...health, failures: 0, ejections, until: now + toPause(ejections, settings) }
}

function toPause(ejections: number, { ejectMs, maxEjectMs }: Settings): number {
  return Math.min(ejectMs * 2 ** Math.min(ejections - 1, 30), maxEjectMs)
}
