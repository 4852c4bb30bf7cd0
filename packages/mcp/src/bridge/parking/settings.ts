import { type Clock, systemClock } from '../../peer/clock.ts'
import type { Bounds } from '../../peer/tally.ts'
import { ParkedRuns } from './parked.ts'
import type { Parking } from './rounds.ts'
import { createSealer, type StateKey } from './seal.ts'
import { States } from './states.ts'

/** How what has to be remembered between a question and its answer is kept. */
export interface ParkingOptions {
  /**
   * Seals what callers carry between a question and its answer, and handles: a key of at least 32 bytes, or several,
   * of which the first seals and all open, so that keys can be changed. Default: a random key of this process.
   * Replicas behind one address need one in common, and so does a server whose questions are to survive a restart.
   */
  readonly stateKey?: StateKey | readonly StateKey[]
  /** How long an answer may take where the question is a result. Default 10 minutes. */
  readonly stateTtlMs?: number
  /** Most bytes of one sealed state, which carries all answers of its call so far. Default 256 KiB. */
  readonly maxStateBytes?: number
  /** Most runs of `parked` handlers, or calls to servers elsewhere, that wait in memory; one more is refused. Default 1,000. */
  readonly maxParked?: number
  /** Most of one caller, so that nobody takes the room of others. Callers nobody authenticated count as one. Default 250. */
  readonly maxParkedPerPrincipal?: number
  /** Most bytes of parameters, answers and outcomes of such runs. Default 128 MiB. */
  readonly maxParkedBytes?: number
  /** Most bytes of those of one caller. Default 32 MiB. */
  readonly maxParkedBytesPerPrincipal?: number
}

/** @param audience whose states these are: they are good for nobody else, whatever the key */
export function createParking(options: ParkingOptions, audience: string, clock: Clock = systemClock): Parking {
  const parked = createParked(options, clock)
  return { states: createStates(options, audience, clock), parked }
}

export function createParked(options: ParkingOptions, clock: Clock): ParkedRuns {
  return new ParkedRuns({ clock, bounds: toBounds(options), ttlMs: options.stateTtlMs ?? STATE_TTL_MS })
}

export function createStates(options: ParkingOptions, audience: string, clock: Clock, node?: string): States {
  const sealer = createSealer(options.stateKey, audience)
  const ttlMs = options.stateTtlMs ?? STATE_TTL_MS
  return new States({ sealer, clock, ttlMs, maxBytes: options.maxStateBytes ?? 256 * 1024, node })
}

function toBounds(options: ParkingOptions): Bounds {
  const bounds = {
    maxParked: options.maxParked ?? 1_000,
    maxParkedPerPrincipal: options.maxParkedPerPrincipal ?? 250,
    maxParkedBytes: options.maxParkedBytes ?? 128 * 1024 * 1024,
    maxParkedBytesPerPrincipal: options.maxParkedBytesPerPrincipal ?? 32 * 1024 * 1024,
  }
  for (const [name, value] of Object.entries(bounds)) {
    if (Number.isInteger(value) && value > 0) continue
    throw new Error(`Cannot create a server with ${name} ${value}: it must be a positive integer`)
  }
  return {
    all: { count: bounds.maxParked, bytes: bounds.maxParkedBytes },
    perOwner: { count: bounds.maxParkedPerPrincipal, bytes: bounds.maxParkedBytesPerPrincipal },
  }
}

const STATE_TTL_MS = 10 * 60_000
