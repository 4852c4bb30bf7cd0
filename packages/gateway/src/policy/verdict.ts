import type { Fact, Facts, Told } from '../conditions/facts.ts'
import type { Decision } from './decision.ts'
import type { Rule } from './rule.ts'
import { both, type State, stateOf } from './state.ts'

/** A rule of which all holds but what can only be told with a call. */
export interface Pending {
  readonly rule: Rule
  /** `failed` where some of it could not be told. */
  readonly state: State
}

/** What is decided of one thing for one set of permissions, before there is a call. */
export interface Verdict {
  /** It may be used, or may be for some arguments or at some time. */
  readonly shown: boolean
  /** What counts where no rule that waits does. */
  readonly decision: Decision
  /** Rules that wait for the call; undefined where none does. */
  readonly waiting: Waiting | undefined
}

/** Rules that can only be told with a call, in their order. */
export interface Waiting {
  /** What conditions are told of the thing. */
  readonly facts: Facts
  /** What conditions of these rules still ask of the call. */
  readonly reads: ReadonlySet<Fact>
  readonly denies: readonly Pending[]
  /** Empty where they would change nothing. */
  readonly allows: readonly Pending[]
  /** Rules about the answer, which may keep it back. */
  readonly checks: readonly Pending[]
}

/** What is decided with a call. */
export interface Judged {
  readonly decision: Decision
  /** Why, in the words of the rule that refused. */
  readonly message: string | undefined
  /** Rules of which something could not be told. */
  readonly failed: readonly string[]
}

/** Holds against a call what only it can tell. A refusal that cannot be told refuses; a permission that cannot be told permits nothing. */
export function judge(decision: Decision, { denies, allows }: Waiting, facts: Facts | Told): Judged {
  const { dryRun } = decision
  const failed: string[] = []
  const isTrue = ({ rule, state }: Pending): State => {
    const outcome = both(state, stateOf(rule.parts.late, facts))
    if (outcome === 'failed') failed.push(rule.name)
    return outcome
  }
  const denied = denies.find((pending) => isTrue(pending) !== 'not')
  if (denied !== undefined) {
    const { name, message } = denied.rule
    return { decision: { effect: 'deny', rule: name, dryRun }, message, failed }
  }
  const allowed = allows.find((pending) => isTrue(pending) === 'holds')
  if (allowed === undefined) return { decision, message: undefined, failed }
  return { decision: { effect: 'allow', rule: allowed.rule.name, dryRun }, message: undefined, failed }
}

/** Holds an answer against the rules about it. One that cannot be told keeps it back. */
export function judgeResult(decision: Decision, checks: readonly Pending[], facts: Facts | Told): Judged {
  const { dryRun } = decision
  const failed: string[] = []
  for (const { rule, state } of checks) {
    const outcome = both(state, stateOf([...rule.parts.late, ...rule.parts.after], facts))
    if (outcome === 'failed') failed.push(rule.name)
    if (outcome === 'not') continue
    return { decision: { effect: 'deny', rule: rule.name, dryRun }, message: rule.message, failed }
  }
  return { decision, message: undefined, failed }
}
