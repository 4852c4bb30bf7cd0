import type { Principal } from '@crosspoint/mcp'
import type { Item } from '../catalog/kinds.ts'
import { beginConditions } from '../conditions/condition.ts'
import { PrincipalFacts, rolesOf } from '../conditions/facts.ts'
import type { Effect } from '../config/model-policy.ts'
import { Permit, type Rules } from './permit.ts'
import { Recent } from './recent.ts'
import type { Role } from './roles.ts'
import type { Rule } from './rule.ts'
import { RuleIndex } from './rule-index.ts'
import type { Scopes } from './scopes.ts'
import { type State, stateOf } from './state.ts'
import { type Target, toFacts } from './target.ts'
import type { Pending, Verdict } from './verdict.ts'

/** A caller of one view. */
export interface Caller {
  readonly facts: PrincipalFacts
  /** Shared by all who may use the same. */
  readonly permit: Permit
}

export interface ViewPolicyOptions {
  /** Empty for the view of everything. */
  readonly view: string
  readonly rules: readonly Rule[]
  readonly scopes: Scopes
  readonly roles: readonly Role[]
  readonly default: Effect
  readonly dryRun: boolean
}

/** What callers may in one view, for as long as the rules stay. */
export class ViewPolicy implements Rules {
  readonly view: string
  readonly dryRun: boolean
  readonly scopes: Scopes
  readonly unspoken: Effect
  readonly checksResults: boolean
  readonly #roles: readonly Role[]
  /** Those that refuse first, as they win; else in the order of the configuration. */
  readonly #rules: readonly Rule[]
  readonly #askingWho: readonly Rule[]
  readonly #isPersonal: boolean
  readonly #index = new RuleIndex()
  readonly #concerns = new WeakMap<Item, { readonly target: Target; readonly concerns: readonly Pending[] }>()
  readonly #known = new WeakMap<Principal, Caller>()
  readonly #callers = new Recent<Caller>(MAX_CALLERS)
  readonly #permits = new Recent<Permit>(MAX_PERMITS)
  readonly #settled = new Map<string, Verdict>()

  constructor({ view, rules, scopes, roles, default: effect, dryRun }: ViewPolicyOptions) {
    this.view = view
    this.dryRun = dryRun
    this.scopes = scopes
    this.unspoken = effect
    this.#roles = roles
    const here = rules.filter((rule) => rule.isInView(view))
    this.#rules = [...here.filter((rule) => rule.effect === 'deny'), ...here.filter((rule) => rule.effect === 'allow')]
    this.#askingWho = this.#rules.filter(({ parts }) => parts.who.length > 0)
    this.checksResults = this.#rules.some(({ parts }) => parts.after.length > 0)
    this.#isPersonal = this.#rules.some(({ parts }) => parts.both.length > 0)
    for (const [at, rule] of this.#rules.entries()) this.#index.add(at, rule)
  }

  /** Whether a caller may be told to get another token. */
  get bindsByScopes(): boolean {
    return this.scopes.names.length > 0 && !this.dryRun
  }

  callerOf(principal: Principal): Caller {
    const known = this.#known.get(principal)
    if (known !== undefined) return known
    const { tenant, id, scopes, attributes } = principal
    const key = JSON.stringify([tenant, id, scopes, attributes])
    const caller = this.#callers.get(key) ?? this.#meet(principal, key)
    this.#known.set(principal, caller)
    return caller
  }

  /** The rules that are about a thing, those that refuse first; told once for each. */
  concernsOf(target: Target): readonly Pending[] {
    const { item, name, server } = target
    if (item === undefined) return this.#findConcerns(target)
    const known = this.#concerns.get(item)
    if (known?.target.name === name && known.target.server === server) return known.concerns
    const concerns = this.#findConcerns(target)
    this.#concerns.set(item, { target, concerns })
    return concerns
  }

  /** The verdict where no rule waits for a call: the same object for the same decision. */
  settle(effect: Effect, rule: string | undefined): Verdict {
    const key = `${effect} ${rule ?? ''}`
    const known = this.#settled.get(key)
    if (known !== undefined) return known
    const decision = Object.freeze({ effect, rule, dryRun: this.dryRun })
    const verdict: Verdict = { shown: effect === 'allow', decision, waiting: undefined }
    this.#settled.set(key, verdict)
    return verdict
  }

  #meet(principal: Principal, key: string): Caller {
    const own = rolesOf(principal)
    const brought = new PrincipalFacts(principal, own)
    beginConditions({ principal: brought })
    const assigned = this.#roles.filter(({ parts }) => stateOf(parts, { principal: brought }) === 'holds')
    const roles = [...new Set([...own, ...assigned.map(({ role }) => role)])]
    const facts = new PrincipalFacts(principal, roles)
    const held = this.scopes.of(principal.scopes, roles)
    const states = new Map<Rule, State>()
    for (const rule of this.#askingWho) {
      beginConditions({ principal: facts })
      states.set(rule, stateOf(rule.parts.who, { principal: facts, view: this.view }))
    }
    const signature = JSON.stringify([
      [...states.values()].map((state) => state[0]).join(''),
      held === undefined ? null : [...held],
      this.#isPersonal ? [key, roles] : null,
    ])
    const permit = this.#permits.get(signature) ?? new Permit(this, states, held, facts)
    this.#permits.set(signature, permit)
    const caller = { facts, permit }
    this.#callers.set(key, caller)
    return caller
  }

  #findConcerns(target: Target): readonly Pending[] {
    const facts = { view: this.view, ...toFacts(target) }
    const concerns: Pending[] = []
    for (const rule of this.rulesAbout(target)) {
      const { what } = rule.parts
      if (what.length > 0) beginConditions(facts)
      const state = what.length === 0 ? 'holds' : stateOf(what, facts)
      if (state !== 'not') concerns.push({ rule, state })
    }
    return concerns
  }

  /** By names and servers alone, whatever their conditions say. */
  rulesAbout(target: Target): readonly Rule[] {
    const rules: Rule[] = []
    this.#index.visit(target, (at) => {
      const rule = this.#rules[at]
      if (rule?.fits(target) === true) rules.push(rule)
    })
    return rules
  }
}

/** Sets of permissions in use at once: each has lists of its own, some 100 KB for a thousand tools. */
const MAX_PERMITS = 500
/** People and programs who call: each is some hundred bytes, and meeting one again asks all rules about callers. */
const MAX_CALLERS = 10_000
