/** What became of a call by rule, for the record. */
export interface Decision {
  readonly effect: 'allow' | 'deny'
  /**
   * The rule that decided; `scope:<name>` where a scope of the caller covers it, `scopes` where none of them does.
   * Undefined: nothing speaks of it, and the default counts.
   */
  readonly rule: string | undefined
  /** It was let through whatever was decided. */
  readonly dryRun: boolean
}
