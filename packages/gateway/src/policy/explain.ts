import type { JsonObject, Principal, Result } from '@crosspoint/mcp'
import type { Kind } from '../catalog/kinds.ts'
import type { View } from '../catalog/view.ts'
import { beginConditions, type Part } from '../conditions/condition.ts'
import { ClientFacts, type Facts } from '../conditions/facts.ts'
import { ResultFacts } from '../conditions/result-facts.ts'
import type { Decision } from './decision.ts'
import type { Policy } from './policy.ts'
import type { Rule } from './rule.ts'
import { type Target, toFacts, toListed, toUnlisted } from './target.ts'
import { judge, judgeResult, type Verdict, type Waiting } from './verdict.ts'

/** Whom and what a decision is about. */
export interface PolicyQuestion {
  readonly principal: Principal
  /** Undefined: the view of everything. */
  readonly view?: string
  readonly kind: 'tool' | 'prompt' | 'resource'
  /** As the view has it: a name, or a URI. */
  readonly name: string
  /** Default: none. */
  readonly arguments?: JsonObject
  /** What is answered, for rules about that. Default: nothing yet, and they wait. */
  readonly result?: Result
}

/** Why something is decided as it is. */
export interface PolicyExplanation {
  /** In its lists, and found. */
  readonly listed: boolean
  /** Of a call with these arguments. */
  readonly decision: Decision
  /** Those it brings, and those that are assigned to it. */
  readonly roles: readonly string[]
  /** Scopes that count for it; undefined for a caller whom scopes do not bind. */
  readonly scopes: readonly string[] | undefined
  /** The scopes that cover the thing. */
  readonly covering: readonly string[]
  /** All rules of the view that are about the thing, those that refuse first. */
  readonly rules: readonly ExplainedRule[]
}

export interface ExplainedRule {
  readonly name: string
  readonly effect: 'allow' | 'deny'
  /** `failed`: it cannot be told, which refuses, or permits nothing. `waits`: it is about the answer. */
  readonly state: 'holds' | 'not' | 'failed' | 'waits'
  /** The first part of its condition that is not true, cannot be told, or waits. */
  readonly because?: string
}

/** Undefined where the view has no such thing, for anybody. */
export function explainPolicy(
  policy: Policy,
  base: View,
  question: PolicyQuestion,
  now: number,
): PolicyExplanation | undefined {
  const rules = policy.forView(base.name)
  const { facts, permit } = rules.callerOf(question.principal)
  const grant = permit.at(base)
  const target = toTarget(base, question)
  if (target === undefined) return undefined
  const verdict: Verdict = permit.verdictOf(target)
  const all: Facts = {
    ...toFacts(target),
    principal: facts,
    view: rules.view,
    method: METHODS[question.kind],
    arguments: question.arguments ?? {},
    now: new Date(now),
    client: new ClientFacts(),
    ...(question.result === undefined ? {} : { result: new ResultFacts(METHODS[question.kind], question.result) }),
  }
  beginConditions(all)
  const { decision, waiting } = verdict
  const { names } = policy.scopes
  return {
    listed: verdict.shown || grant.view === base,
    decision: waiting === undefined ? decision : decide(decision, waiting, all),
    roles: facts.roles,
    scopes: permit.scopes === undefined ? undefined : names.filter((name) => permit.scopes?.has(name)),
    covering: policy.scopes.covering(target),
    rules: rules.rulesAbout(target).map((rule) => explainRule(rule, all)),
  }
}

function decide(decision: Decision, waiting: Waiting, facts: Facts): Decision {
  const judged = judge(decision, waiting, facts).decision
  if (judged.effect === 'deny' || facts.result === undefined) return judged
  return judgeResult(judged, waiting.checks, facts).decision
}

function toTarget({ entries, book }: View, { kind, name }: PolicyQuestion): Target | undefined {
  for (const listed of LISTED[kind]) {
    const entry = entries[listed].get(name)
    if (entry !== undefined) return toListed(listed, entry)
  }
  const found = kind === 'resource' ? book.find(name) : undefined
  if (found === undefined) return undefined
  const { destination } = found.source
  return toUnlisted(book.toPublic(destination, found.native), destination.name)
}

function explainRule({ name, effect, parts: { who, what, both, late, after } }: Rule, facts: Facts): ExplainedRule {
  const told = facts.result === undefined ? [] : after
  const outcomes = [...who, ...what, ...both, ...late, ...told].map((part) => [part, outcomeOf(part, facts)] as const)
  const [untrue] = outcomes.find(([, outcome]) => outcome === false) ?? []
  if (untrue !== undefined) return { name, effect, state: 'not', because: untrue.text }
  const [failed] = outcomes.find(([, outcome]) => outcome === 'failed') ?? []
  if (failed !== undefined) return { name, effect, state: 'failed', because: failed.text }
  const [waits] = facts.result === undefined ? after : []
  return waits === undefined ? { name, effect, state: 'holds' } : { name, effect, state: 'waits', because: waits.text }
}

function outcomeOf(part: Part, facts: Facts): boolean | 'failed' {
  beginConditions(facts)
  return part.test(facts)
}

const LISTED: Readonly<Record<PolicyQuestion['kind'], readonly Kind[]>> = {
  tool: ['tools'],
  prompt: ['prompts'],
  resource: ['resources', 'skills', 'templates'],
}
const METHODS = { tool: 'tools/call', prompt: 'prompts/get', resource: 'resources/read' } as const
