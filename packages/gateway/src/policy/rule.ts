import { type Condition, type Part, parseCondition } from '../conditions/condition.ts'
import type { Fact } from '../conditions/facts.ts'
import { type Subject, subjectsOf } from '../conditions/subject.ts'
import type { Covered, Effect, RuleConfig } from '../config/model-policy.ts'
import { toSelector } from '../config/selection.ts'
import type { Target } from './target.ts'

/** A rule, ready to be held against things. */
export interface Rule {
  readonly name: string
  readonly effect: Effect
  readonly message: string | undefined
  readonly subjects: ReadonlySet<Subject>
  /** Of names and URIs; of what it has none, it is about all. */
  readonly patterns: Covered
  readonly isInView: (view: string) => boolean
  /** By name and server, whatever the condition says. */
  readonly fits: (target: Target) => boolean
  /** Parts of its condition by when they can be told. */
  readonly parts: RuleParts
}

export interface RuleParts {
  /** Of the caller alone: once for each. */
  readonly who: readonly Part[]
  /** Of the thing alone: once for each. */
  readonly what: readonly Part[]
  /** Of both: once for each pair. */
  readonly both: readonly Part[]
  /** Of arguments, time and what a client says of itself: with each call. */
  readonly late: readonly Part[]
  /** Of what was answered: with each answer. A rule that has some is asked nothing before. */
  readonly after: readonly Part[]
}

export function toRule(config: RuleConfig): Rule {
  const { name, effect, message, servers, views, when } = config
  const condition = when === undefined ? undefined : parseCondition(when)
  const subjects = subjectsOf(config, condition)
  const covers = toCover(config, effect)
  const isFree = SUBJECTS.every((subject) => config[subject] === undefined)
  const isOfServer = servers === undefined ? undefined : toSelector({ include: servers })
  return {
    name,
    effect,
    message,
    subjects,
    patterns: isFree ? {} : config,
    isInView: views === undefined ? () => true : toSelector({ include: views }),
    fits: (target) =>
      subjects.has(target.subject) && (isFree || covers(target)) && (isOfServer?.(target.server) ?? true),
    parts: toParts(condition),
  }
}

/**
 * Whether names or URIs are among what is covered. An address that nobody lists is denied in any of its spellings, and
 * allowed only where all of them are.
 */
export function toCover(covered: Covered, effect: Effect): (target: Target) => boolean {
  const selectors = SUBJECTS.map((subject) => [subject, toSelector({ include: covered[subject] ?? [] })] as const)
  const bySubject = new Map(selectors)
  return ({ subject, name, plain }) => {
    const selects = bySubject.get(subject)
    if (selects === undefined) return false
    if (name === plain) return selects(name)
    return effect === 'deny' ? selects(name) || selects(plain) : selects(name) && selects(plain)
  }
}

function toParts(condition: Condition | undefined): RuleParts {
  const parts = { who: [] as Part[], what: [] as Part[], both: [] as Part[], late: [] as Part[], after: [] as Part[] }
  for (const part of condition?.parts ?? []) {
    const readsSome = (facts: readonly Fact[]) => facts.some((fact) => part.reads.has(fact))
    if (part.reads.has('result')) parts.after.push(part)
    else if (readsSome(LATE)) parts.late.push(part)
    else if (!readsSome(WHAT)) parts.who.push(part)
    else if (!readsSome(WHO)) parts.what.push(part)
    else parts.both.push(part)
  }
  return parts
}

const SUBJECTS = ['tools', 'prompts', 'resources'] as const
const LATE = ['arguments', 'now', 'client', 'method'] as const
const WHAT = ['tool', 'prompt', 'resource', 'server'] as const
const WHO = ['principal'] as const
