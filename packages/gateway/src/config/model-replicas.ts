import type { TransportConfig } from './model-transport.ts'

/** Several addresses, or processes, of one server: callers see one. */
export interface ReplicasConfig {
  /** Two at least, in the order of the file. */
  readonly members: readonly ReplicaConfig[]
  readonly balance: Balance
  readonly sticky: Sticky
  /** Between two checks of one replica, in milliseconds; 0 checks none. Default 10 s. */
  readonly checkMs: number
  /** How long a check may take. Default 2 s. */
  readonly checkTimeoutMs: number
  /** Checks or calls in a row that fail before a replica is left alone. Default 3. */
  readonly failures: number
  /** For how long at first; doubled each time it fails again. Default 5 s. */
  readonly ejectMs: number
  /** For how long at most. Default 5 minutes. */
  readonly maxEjectMs: number
}

export interface ReplicaConfig {
  /** For people and figures, and no secret: the host and port of its address, or `#1`. One of its own within its server. */
  readonly name: string
  readonly transport: TransportConfig
  /** How much of the calls it gets, next to the others. Default 1. */
  readonly weight: number
}

/**
 * `random-two`: of two drawn by lot the one that will be done sooner, by its calls at work and how long they take.
 * `least-pending`: the one with the fewest calls at work. `round-robin`: one after the other.
 */
export type Balance = 'random-two' | 'least-pending' | 'round-robin'

/** `auto`: whose calls share a session with a server that keeps one stay on one replica. `never`: its sessions hold nothing. */
export type Sticky = 'auto' | 'never'
