/** A session as the gateways of a cluster know it. */
export interface KeptSession {
  /** The gateway it is with. */
  readonly node: string
  /** Whether that one's lease has not run out, and it is not about to end. */
  readonly isAlive: boolean
  /** How often it was taken over. */
  readonly era: number
  readonly record: string
}

/**
 * Which gateways there are, and which of them has which session. Keys and records are texts that say nothing to the store.
 * Whatever is asked may fail with a `StoreError`; then nobody knows whether it was done.
 */
export interface SessionStore {
  /** Whether it can be asked now, as far as is known. */
  readonly isReady: boolean
  /** Called whenever it has come, or come back. Returns a way to stop that. */
  onReady(tell: () => void): () => void
  /**
   * A gateway is there, and for `leaseMs` from now.
   * @returns whether it was before, and keys of sessions that others took from it since
   */
  beat(node: string, address: string, leaseMs: number): Promise<{ readonly wasThere: boolean; readonly lost: string[] }>
  /** A gateway is about to end, within `ms`: what it holds may be taken over, and what it works on comes to its end. */
  leave(node: string, ms: number): Promise<void>
  /** Where a gateway is reached: empty for one that is about to end, undefined where its lease has run out. */
  addressOf(node: string): Promise<string | undefined>
  /**
   * Keeps a session of a gateway for so long, where no other has it.
   * @returns false where another has
   */
  keep(key: string, node: string, record: string, ttlMs: number): Promise<boolean>
  /** Keeps it for so long from now. */
  touch(key: string, ttlMs: number): Promise<void>
  /**
   * `unsure`: it is not there, and may have been: the store has lost what it had less than `graceMs` ago, and gateways may not
   * have told it all yet.
   */
  find(key: string, graceMs: number): Promise<KeptSession | 'unknown' | 'unsure'>
  /**
   * Takes a session from a gateway, which hears of it with its next beat, should it still be there.
   * @returns false where that one does not have it any more
   */
  adopt(key: string, from: string, to: string, ttlMs: number): Promise<boolean>
  /** A gateway has ended a session of its own. */
  forget(key: string, node: string): Promise<void>
}
