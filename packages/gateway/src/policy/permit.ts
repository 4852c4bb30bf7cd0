import type { Address } from '../catalog/address-book.ts'
import type { Routed } from '../catalog/catalog.ts'
import { ALL_KINDS, type Kind } from '../catalog/kinds.ts'
import type { View } from '../catalog/view.ts'
import { beginConditions } from '../conditions/condition.ts'
import type { Fact, PrincipalFacts } from '../conditions/facts.ts'
import type { Effect } from '../config/model-policy.ts'
import type { Rule } from './rule.ts'
import type { Scopes } from './scopes.ts'
import { both, type State, stateOf } from './state.ts'
import { type Target, toFacts, toListed, toUnlisted } from './target.ts'
import type { Pending, Verdict } from './verdict.ts'

/** What permits of one view have in common. */
export interface Rules {
  /** Empty for the view of everything. */
  readonly view: string
  readonly dryRun: boolean
  readonly scopes: Scopes
  /** Some rules are about what is answered. */
  readonly checksResults: boolean
  /** What counts where nothing speaks of a thing. */
  readonly unspoken: Effect
  /** The rules that are about a thing, those that refuse first. */
  readonly concernsOf: (target: Target) => readonly Pending[]
  /** The verdict where no rule waits for a call. */
  readonly settle: (effect: Effect, rule: string | undefined) => Verdict
}

/** What everybody may who may the same: decided when rules or lists change, not with calls. */
export class Permit {
  readonly policy: Rules
  /** Undefined for those whom scopes do not bind. */
  readonly scopes: ReadonlySet<string> | undefined
  readonly #states: ReadonlyMap<Rule, State>
  /** Of one of those who have it; where rules ask about caller and thing together, there is only one. */
  readonly #facts: PrincipalFacts
  #grant: Grant | undefined

  constructor(
    policy: Rules,
    states: ReadonlyMap<Rule, State>,
    scopes: ReadonlySet<string> | undefined,
    facts: PrincipalFacts,
  ) {
    this.policy = policy
    this.scopes = scopes
    this.#states = states
    this.#facts = facts
  }

  /** What there is to use at one moment of the view. */
  at(base: View): Grant {
    if (this.#grant?.base !== base) this.#grant = new Grant(this, base)
    return this.#grant
  }

  verdictOf(target: Target): Verdict {
    const { policy } = this
    const denies: Pending[] = []
    const allows: Pending[] = []
    const checks: Pending[] = []
    let allowed: string | undefined
    for (const { rule, state } of policy.concernsOf(target)) {
      const now = this.stateOf(rule, state, target)
      if (now === 'not') continue
      if (rule.parts.after.length > 0) {
        checks.push({ rule, state: now })
        continue
      }
      const isLate = rule.parts.late.length > 0
      if (rule.effect === 'deny') {
        if (!isLate) return policy.settle('deny', rule.name)
        denies.push({ rule, state: now })
      } else if (now === 'holds') {
        if (isLate) allows.push({ rule, state: now })
        else allowed ??= rule.name
      }
    }
    const scope = this.#scopeOf(target)
    if (scope === NO_SCOPE) return policy.settle('deny', 'scopes')
    const settled = this.#settle(scope, allowed)
    const isAllowed = settled.decision.effect === 'allow'
    // Nothing that waits could let it, or refuse it.
    if (isAllowed ? denies.length + checks.length === 0 : allows.length === 0) return settled
    const waiting = {
      facts: toFacts(target),
      reads: readsOf([...denies, ...allows, ...checks]),
      denies,
      allows: isAllowed ? NO_RULES : allows,
      checks,
    }
    return { shown: true, decision: settled.decision, waiting }
  }

  /** How it stands with a rule before there is a call. */
  stateOf(rule: Rule, ofThing: State, target: Target): State {
    const known = both(this.#states.get(rule) ?? 'holds', ofThing)
    if (known === 'not' || rule.parts.both.length === 0) return known
    const facts = { principal: this.#facts, view: this.policy.view, ...toFacts(target) }
    beginConditions(facts)
    return both(known, stateOf(rule.parts.both, facts))
  }

  #settle(scope: string | undefined, rule: string | undefined): Verdict {
    if (rule !== undefined) return this.policy.settle('allow', rule)
    if (scope !== undefined) return this.policy.settle('allow', `scope:${scope}`)
    return this.policy.settle(this.policy.unspoken, undefined)
  }

  /** The scope of the caller that covers it; undefined for one whom scopes do not bind. */
  #scopeOf(target: Target): string | undefined | typeof NO_SCOPE {
    const { scopes } = this
    if (scopes === undefined) return undefined
    return this.policy.scopes.covering(target).find((name) => scopes.has(name)) ?? NO_SCOPE
  }
}

/** One moment of a view as those see it who may the same. */
export class Grant {
  readonly base: View
  /** What they see. */
  readonly view: View
  readonly #permit: Permit
  readonly #verdicts: Readonly<Record<Kind, Map<string, Verdict>>>
  #behind: Grant | undefined
  /** Folders of skills that are hidden, and all in them with them. */
  readonly #hiddenFolders: readonly (readonly [folder: string, verdict: Verdict])[]

  constructor(permit: Permit, base: View) {
    this.base = base
    this.#permit = permit
    this.#verdicts = toVerdicts(permit, base)
    const hidden = [...this.#verdicts.skills].filter(([, { shown }]) => !shown)
    this.#hiddenFolders = hidden.map(([uri, verdict]) => [uri.slice(0, uri.lastIndexOf('/') + 1), verdict])
    this.view = permit.policy.dryRun
      ? base
      : base.narrow({
          entry: (kind, { name, routed }) =>
            routed === undefined ? this.#verdicts[kind].get(name)?.shown === true : this.#mayUse(routed),
          uri: (uri, address) => this.#at(uri, address).shown,
          source: ({ destination }) => permit.verdictOf(toUnlisted('', destination.name)).shown,
        })
  }

  /** Of tools that stand behind others; undefined where there are none. */
  get behind(): Grant | undefined {
    const { behind } = this.base
    if (this.#behind === undefined && behind !== undefined) this.#behind = new Grant(this.#permit, behind)
    return this.#behind
  }

  named(kind: 'tools' | 'prompts', name: string): Verdict | undefined {
    return this.#verdicts[kind].get(name)
  }

  /** Undefined where nothing is at that address. */
  addressed(uri: string): Verdict | undefined {
    const { book } = this.base
    const found = book.find(uri)
    return found === undefined ? undefined : this.#at(book.toPublic(found.source.destination, found.native), found)
  }

  template(uri: string): Verdict | undefined {
    return this.#verdicts.templates.get(uri)
  }

  /** What is said of the tools behind it counts: nobody comes by it to what is not theirs. */
  #mayUse({ members }: Routed): boolean {
    return members.some(({ entry }) => this.behind?.named('tools', entry.name)?.shown === true)
  }

  #at(uri: string, { source }: Address): Verdict {
    const { resources, skills } = this.#verdicts
    const listed = resources.get(uri) ?? skills.get(uri)
    if (listed !== undefined) return listed
    const hidden = this.#hiddenFolders.find(([folder]) => uri.startsWith(folder))
    if (hidden !== undefined) return hidden[1]
    return this.#permit.verdictOf(toUnlisted(uri, source.destination.name))
  }
}

function toVerdicts(permit: Permit, { entries }: View): Readonly<Record<Kind, Map<string, Verdict>>> {
  const verdicts = ALL_KINDS.map((kind) => {
    const of = [...entries[kind].values()].map(
      (entry) => [entry.name, permit.verdictOf(toListed(kind, entry))] as const,
    )
    return [kind, new Map(of)] as const
  })
  return Object.fromEntries(verdicts) as Record<Kind, Map<string, Verdict>> // one for each kind
}

function readsOf(waits: readonly Pending[]): ReadonlySet<Fact> {
  const parts = waits.flatMap(({ rule }) => [...rule.parts.late, ...rule.parts.after])
  return new Set(parts.flatMap(({ reads }) => [...reads]))
}

const NO_RULES: readonly Pending[] = Object.freeze([])
const NO_SCOPE = Symbol('no scope covers it')
