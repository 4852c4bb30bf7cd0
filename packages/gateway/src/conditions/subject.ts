import { type Condition, ConditionFault } from './condition.ts'

/** What callers are let use. */
export type Subject = 'tools' | 'prompts' | 'resources'

/**
 * What a rule is about: what it has patterns of, or else what its condition speaks of, or else everything.
 * @throws {ConditionFault} for a condition that speaks of what the rule is not about
 */
export function subjectsOf(
  patterns: { readonly [Name in Subject]?: readonly string[] | undefined },
  condition: Condition | undefined,
): ReadonlySet<Subject> {
  const spoken = ALL.filter((subject) => condition?.reads.has(FACTS[subject]) === true)
  const named = ALL.filter((subject) => patterns[subject] !== undefined)
  if (spoken.length > 1) {
    throw new ConditionFault('it speaks of several of tool, prompt and resource: a rule for each can', 0)
  }
  const [only] = spoken
  if (only === undefined) return new Set(named.length === 0 ? ALL : named)
  if (named.some((subject) => subject !== only)) {
    throw new ConditionFault(`it speaks of "${FACTS[only]}", and the rule is about others too`, 0)
  }
  return new Set([only])
}

export const FACTS = { tools: 'tool', prompts: 'prompt', resources: 'resource' } as const satisfies Record<
  Subject,
  string
>
const ALL = Object.keys(FACTS) as readonly Subject[] // the keys of a literal are its type's keys
