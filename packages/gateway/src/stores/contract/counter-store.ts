/** How much of something was counted in one part of a window, by one process. */
export interface KeptCount {
  /** What is counted, and for whom. */
  readonly key: string
  /** The process that counted, which has no other count of this part. */
  readonly owner: string
  /** The number of the part since 1970; 0 where a stretch of the calendar is counted as a whole. */
  readonly part: number
  readonly amount: number
  /** How long the window is, in milliseconds. */
  readonly windowMs: number
  /** When it counts no more, in milliseconds since 1970. */
  readonly expiresAt: number
}

/** Where counts are that outlive the process. */
export interface CounterStore {
  /** Sets what was counted; what was kept of the same key, owner and part is replaced. All of it or nothing. */
  save(counts: readonly KeptCount[]): Promise<void>
  /** What still counts at a moment, by key, owner and part, from the one behind `after` on. */
  read(options: {
    readonly now: number
    readonly after?: Pick<KeptCount, 'key' | 'owner' | 'part'>
    readonly limit: number
  }): Promise<readonly KeptCount[]>
  /** Forgets what counts no more. */
  forget(now: number): Promise<void>
}
