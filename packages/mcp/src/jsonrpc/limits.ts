/** What a message may cost us before we know what it means. Every transport takes one of these. */
export interface FrameLimits {
  /** Longest message in bytes of UTF-8, after decompression. Default 4 MiB from callers, 64 MiB from upstreams. */
  readonly maxBytes: number
  /** Deepest nesting of arrays and objects. Default 64; V8 parses millions of levels but cannot serialise 5,000. */
  readonly maxDepth: number
  /** Most members of a batch, where the revision has batches. Default 50. */
  readonly maxBatch: number
  /**
   * `reject` refuses an object that names a key twice, since parsers disagree on which one counts and a policy
   * would judge one value while the server acts on the other. Default `reject`.
   */
  readonly duplicateKeys: 'reject' | 'allow'
  /**
   * `reject` refuses numbers that this runtime cannot pass on unchanged: integers with more digits than a double
   * holds, overflow to infinity, negative zero. Default `reject` from callers, `allow` from upstreams (see docs/rough-edges.md).
   */
  readonly inexactNumbers: 'reject' | 'allow'
}

export const CALLER_LIMITS: FrameLimits = Object.freeze({
  maxBytes: 4 * 1024 * 1024,
  maxDepth: 64,
  maxBatch: 50,
  duplicateKeys: 'reject',
  inexactNumbers: 'reject',
})

export const UPSTREAM_LIMITS: FrameLimits = Object.freeze({
  maxBytes: 64 * 1024 * 1024,
  maxDepth: 64,
  maxBatch: 50,
  duplicateKeys: 'reject',
  inexactNumbers: 'allow',
})
