import { UPSTREAM_LIMITS } from '../jsonrpc/limits.ts'
import { systemClock } from '../peer/clock.ts'
import type { Implementation } from '../protocol/capabilities.ts'
import type { OptionNames } from '../protocol/option-names.ts'
import type { ConnectionOptions } from './connection.ts'

/** {@link ConnectionOptions} with every default filled in. */
export type Settings = Readonly<Required<Omit<ConnectionOptions, Optional>> & Pick<ConnectionOptions, Optional>>

type Optional =
  | 'name'
  | 'signal'
  | 'authorization'
  | 'revision'
  | 'verdict'
  | 'relayFromBytes'
  | 'maxRequestMs'
  | 'ask'
  | 'stray'
  | 'changed'
  | 'stderr'
  | 'fault'
  | 'leftOut'

export function toSettings(options: ConnectionOptions): Settings {
  return {
    client: OURSELVES,
    capabilities: {},
    limits: UPSTREAM_LIMITS,
    connectTimeoutMs: 30_000,
    probeTimeoutMs: 5_000,
    requestTimeoutMs: 60_000,
    killGraceMs: 2_000,
    maxInFlight: 1_024,
    maxSockets: 64,
    clock: systemClock,
    ...withoutUndefined(options),
  }
}

/** Who a client is that says nothing about itself. */
export const OURSELVES: Implementation = Object.freeze({ name: 'crosspoint', version: '1' })

export const CONNECTION_OPTIONS: OptionNames<ConnectionOptions> = {
  name: true,
  client: true,
  capabilities: true,
  revision: true,
  verdict: true,
  limits: true,
  relayFromBytes: true,
  signal: true,
  authorization: true,
  connectTimeoutMs: true,
  probeTimeoutMs: true,
  requestTimeoutMs: true,
  maxRequestMs: true,
  killGraceMs: true,
  maxInFlight: true,
  maxSockets: true,
  ask: true,
  stray: true,
  stderr: true,
  fault: true,
  leftOut: true,
  clock: true,
  changed: true,
}

/** A default holds for an option that is there and undefined, too. */
function withoutUndefined(options: ConnectionOptions): ConnectionOptions {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as unknown as ConnectionOptions // the same members, none of them undefined
}
