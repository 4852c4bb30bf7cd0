import type { PolicyConfig } from '../config/model-policy.ts'
import { toSelector } from '../config/selection.ts'
import { toCover } from './rule.ts'
import type { Target } from './target.ts'

/** The scopes of a configuration, and what roles give of them. */
export class Scopes {
  readonly names: readonly string[]
  readonly #covers: ReadonlyMap<string, (target: Target) => boolean>
  readonly #roles: ReadonlyMap<string, readonly string[]>

  constructor({ scopes, roles }: Pick<PolicyConfig, 'scopes' | 'roles'>) {
    this.names = [...scopes.keys()]
    this.#covers = new Map([...scopes].map(([name, covered]) => [name, toCover(covered, 'allow')]))
    this.#roles = new Map([...roles].map(([role, given]) => [role, this.names.filter(toSelector({ include: given }))]))
  }

  /** What a caller has, by itself and by its roles; undefined for one whom scopes do not bind. */
  of(own: readonly string[] | undefined, roles: readonly string[]): ReadonlySet<string> | undefined {
    // A role that is not there gives nothing, and is no way around those that are.
    const isBound = own !== undefined || (this.#roles.size > 0 && roles.length > 0)
    if (this.names.length === 0 || !isBound) return undefined
    const given = roles.map((role) => this.#roles.get(role) ?? [])
    const known = (own ?? []).filter((name) => this.#covers.has(name))
    return new Set([...known, ...given.flat()].sort())
  }

  /** All that cover it, in the order of the configuration. */
  covering(target: Target): readonly string[] {
    return this.names.filter((name) => this.#covers.get(name)?.(target) === true)
  }
}
