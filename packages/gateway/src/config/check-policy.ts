import { nearest } from '@crosspoint/mcp'
import { type Condition, ConditionFault, parseCondition } from '../conditions/condition.ts'
import type { Fact } from '../conditions/facts.ts'
import { subjectsOf } from '../conditions/subject.ts'
import type { Complaints } from './complaints.ts'
import { quoted } from './quoted.ts'
import type { WrittenConfig } from './schema.ts'
import { toSelector } from './selection.ts'
import { locate, type Tree } from './tree.ts'

/**
 * Whether rules and roles speak of what there is, and conditions can be asked.
 * @param servers names of all servers, those with faults included
 */
export function checkPolicy(
  { scopes, roles, policy, views }: WrittenConfig,
  root: Tree,
  servers: readonly string[],
  complaints: Complaints,
): void {
  const placeOf = (path: readonly PropertyKey[]) => locate(root, path).origin
  const named = (what: string, names: readonly string[], patterns: readonly string[], at: readonly PropertyKey[]) => {
    for (const [index, pattern] of patterns.entries()) {
      if (names.some(toSelector({ include: [pattern] })) || pattern === '*') continue
      const near = nearest(pattern, names)
      const hint = near === undefined ? undefined : `did you mean ${quoted(near)}?`
      complaints.error(placeOf([...at, index]), `No ${what} is named ${quoted(pattern)}`, hint)
    }
  }
  /** @param about names the rule; the condition itself is never repeated */
  const parse = (text: string, about: string, at: readonly PropertyKey[], known?: readonly Fact[]) =>
    told(() => parseCondition(text, known), about, at)
  const told = <T>(run: () => T, about: string, at: readonly PropertyKey[]): T | undefined => {
    try {
      return run()
    } catch (error) {
      if (!(error instanceof ConditionFault)) throw error
      const place = error.position === 0 ? '' : ` at character ${error.position}`
      complaints.error(placeOf(at), `The condition ${about} cannot be used${place}: ${error.message}`)
      return undefined
    }
  }

  for (const [name, role] of Object.entries(roles)) {
    named('scope', Object.keys(scopes), role.scopes, ['roles', name, 'scopes'])
  }
  for (const name of Object.keys(policy.views)) {
    if (Object.hasOwn(views, name)) continue
    complaints.error(placeOf(['policy', 'views', name]), `No view is named ${quoted(name)}`)
  }
  for (const [index, { role, when }] of policy.assign.entries()) {
    parse(when, `of the role ${quoted(role)}`, ['policy', 'assign', index, 'when'], ['principal'])
  }
  const taken = new Set<string>()
  for (const [index, rule] of policy.rules.entries()) {
    const at = ['policy', 'rules', index]
    const about = `of the rule ${quoted(rule.name)}`
    if (taken.has(rule.name)) complaints.error(placeOf([...at, 'name']), 'Another rule has this name')
    taken.add(rule.name)
    named('server', servers, rule.servers ?? [], [...at, 'servers'])
    named('view', Object.keys(views), rule.views ?? [], [...at, 'views'])
    const condition: Condition | undefined =
      rule.when === undefined ? undefined : parse(rule.when, about, [...at, 'when'])
    told(() => subjectsOf(rule, condition), about, [...at, 'when'])
    if (rule.effect === 'allow' && condition?.reads.has('result') === true) {
      const message = `The condition ${about} cannot be used: it speaks of "result", and a rule about results can only deny`
      complaints.error(placeOf([...at, 'when']), message)
    }
  }
}
