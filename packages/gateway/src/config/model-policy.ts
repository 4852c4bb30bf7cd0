/** What callers may: `scopes`, `roles` and `policy` of the configuration. */
export interface PolicyConfig {
  /** By name: what each covers. */
  readonly scopes: ReadonlyMap<string, Covered>
  /** By name: patterns of the scopes each gives. */
  readonly roles: ReadonlyMap<string, readonly string[]>
  /** What becomes of what no rule and no scope speaks of. Default `allow`. */
  readonly default: Effect
  /** The same for single views, by name. */
  readonly views: ReadonlyMap<string, Effect>
  /** Decides and records, and lets everything through. Default false. */
  readonly dryRun: boolean
  readonly assign: readonly RoleAssignment[]
  /** At most 10,000. */
  readonly rules: readonly RuleConfig[]
}

export type Effect = 'allow' | 'deny'

/** Patterns: names or URIs with `*` for any run of characters. Absent: none of these. */
export interface Covered {
  /** Over merged names. */
  readonly tools?: readonly string[]
  /** Over the URIs of resources and skills, and the URI templates of templates. */
  readonly resources?: readonly string[]
  /** Over merged names. */
  readonly prompts?: readonly string[]
}

export interface RoleAssignment {
  readonly role: string
  /** CEL over `principal`. */
  readonly when: string
}

/** A rule that names none of tools, resources and prompts is about all of them. */
export interface RuleConfig extends Covered {
  /** Unique; letters, digits, `.`, `_`, `:` and `-`. */
  readonly name: string
  readonly effect: Effect
  /** Patterns of names. Absent: all. */
  readonly servers?: readonly string[]
  /** Patterns of names; the view of everything has the empty one. Absent: all. */
  readonly views?: readonly string[]
  /** CEL. Absent: always. */
  readonly when?: string
  /** What a caller is told whose arguments the rule refuses. */
  readonly message?: string
}
