import { ALL_KINDS } from '../catalog/kinds.ts'
import type { View } from '../catalog/view.ts'
import type { PolicyConfig } from '../config/model-policy.ts'
import { type Role, toRole } from './roles.ts'
import { type Rule, toRule } from './rule.ts'
import { Scopes } from './scopes.ts'
import { toListed } from './target.ts'
import { ViewPolicy } from './view-policy.ts'

/** What callers may, of one configuration. Another has another. */
export class Policy {
  readonly scopes: Scopes
  readonly #config: PolicyConfig
  readonly #rules: readonly Rule[]
  readonly #roles: readonly Role[]
  /** Told to everybody who asks where to get a token, so it is found out once. */
  readonly #supported = new WeakMap<View, readonly string[]>()
  readonly #views = new Map<string | undefined, ViewPolicy>()

  constructor(config: PolicyConfig) {
    this.scopes = new Scopes(config)
    this.#config = config
    this.#rules = config.rules.map(toRule)
    this.#roles = config.assign.map(toRole)
  }

  /** The scopes that cover something a view offers; undefined where there are none at all. */
  scopesSupported(view: View | undefined): readonly string[] | undefined {
    const { names } = this.scopes
    if (names.length === 0 || view === undefined) return undefined
    const known = this.#supported.get(view)
    if (known !== undefined) return known
    const covering = ALL_KINDS.flatMap((kind) =>
      // What stands behind a tool is asked for by it.
      [view, view.behind].flatMap((of) =>
        [...(of?.entries[kind].values() ?? [])].flatMap((entry) => this.scopes.covering(toListed(kind, entry))),
      ),
    )
    const found = new Set(covering)
    const supported = names.filter((name) => found.has(name))
    this.#supported.set(view, supported)
    return supported
  }

  /** @param name undefined for the view of everything */
  forView(name: string | undefined): ViewPolicy {
    const known = this.#views.get(name)
    if (known !== undefined) return known
    const { views, default: effect, dryRun } = this.#config
    const made = new ViewPolicy({
      view: name ?? '',
      rules: this.#rules,
      scopes: this.scopes,
      roles: this.#roles,
      default: (name === undefined ? undefined : views.get(name)) ?? effect,
      dryRun,
    })
    this.#views.set(name, made)
    return made
  }
}

/** Undefined where nothing is refused to anybody: then nothing is asked either. */
export function createPolicy(config: PolicyConfig): Policy | undefined {
  const { scopes, rules, views } = config
  const isOpen = config.default === 'allow' && [...views.values()].every((effect) => effect === 'allow')
  return isOpen && scopes.size === 0 && rules.length === 0 ? undefined : new Policy(config)
}
