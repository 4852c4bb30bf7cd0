/** One line of evidence as it is kept. What is in it is the business of `audit/`; the store keeps it and its order. */
export interface AuditRow {
  /** Who wrote it: one process of the gateway. Each has a chain of its own, so that no replica waits for another. */
  readonly chain: string
  /** From 1, without gaps within a chain. */
  readonly seq: number
  /** Milliseconds since 1970. */
  readonly at: number
  /** Of the row before it in its chain, and of this one; hexadecimal. */
  readonly previous: string
  readonly hash: string
  /** JSON text, kept byte for byte. */
  readonly record: string
  /** For searches, and not part of what is hashed: all of it is in `record`. */
  readonly index: AuditIndex
}

export interface AuditIndex {
  readonly tenant: string
  readonly principal: string
  readonly method: string
  readonly target?: string
  readonly upstream?: string
  readonly outcome: string
  readonly trace?: string
}

/** Says that a chain was so and so at some time, signed. */
export interface Checkpoint {
  readonly chain: string
  readonly seq: number
  readonly hash: string
  readonly at: number
  /** Which key signed it, and what it signed; both as `audit/` writes them. */
  readonly key: string
  readonly signature: string
}

export interface AuditStore {
  /**
   * All of them or none. Resolves once they would survive the loss of this process. Rows that are kept already are
   * passed over, so that an append whose outcome is not known (`unavailable`) may be repeated as it was.
   * @param rows of one chain, in order, each naming the hash of the one before it; the first behind the last that is kept
   * @throws {StoreError} `conflict` where they do not follow it, `invalid` where they do not follow one another or cannot
   *   be kept
   */
  append(rows: readonly AuditRow[]): Promise<void>
  /** The newest that is kept of a chain; undefined as well where all are forgotten. */
  last(chain: string): Promise<AuditRow | undefined>
  /** By name. `first` is the first that is kept: 1, or where forgetting ended, and behind `last` where all are forgotten. */
  chains(): Promise<readonly { readonly chain: string; readonly first: number; readonly last: number }[]>
  /** Of one chain, by `seq`, from `from` on. */
  read(chain: string, options: { readonly from: number; readonly limit: number }): Promise<readonly AuditRow[]>
  /** Of all chains, newest first: by time, then chain, then `seq`. `before` is the last one of the page before. */
  search(query: AuditQuery): Promise<readonly AuditRow[]>
  /** The same one again changes nothing. */
  addCheckpoint(checkpoint: Checkpoint): Promise<void>
  /** Of one chain, by `seq`, then time. */
  checkpoints(chain: string): Promise<readonly Checkpoint[]>
  /**
   * Forgets rows older than a time, from the beginning of each chain on: none is left out of its middle. {@link chains}
   * says how far. Of the checkpoints in what is forgotten the last one stays. Appends go on meanwhile.
   * @param olderThan milliseconds since 1970
   * @returns how many rows
   */
  forget(olderThan: number): Promise<number>
}

export interface AuditQuery extends Partial<AuditIndex> {
  /** Milliseconds since 1970: from, inclusive, and until, exclusive. */
  readonly since?: number
  readonly until?: number
  readonly before?: Pick<AuditRow, 'at' | 'chain' | 'seq'>
  readonly limit: number
}
