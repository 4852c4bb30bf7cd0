import type { Environment, ParseResult } from '@marcbachmann/cel-js'
import { loadCel } from '../node/cel.ts'
import { Budget } from './budget.ts'
import {
  ClientFacts,
  type Fact,
  type Facts,
  PrincipalFacts,
  PromptFacts,
  ResourceFacts,
  type Told,
  ToolFacts,
} from './facts.ts'
import { toMatcher } from './patterns.ts'
import { asksAnnotationsOnly, remembering, toQuick } from './quick.ts'
import { ResultFacts } from './result-facts.ts'
import { conjunctsOf, isNode, type Node, nodesOf } from './syntax.ts'

/** One of the things that must all be true, with what must be known to tell. */
export interface Part {
  /** In one spelling, for people to read. */
  readonly text: string
  readonly reads: ReadonlySet<Fact>
  /** `failed` where it cannot be told: a member is missing, a value is of another type, a list is too long. */
  readonly test: (facts: Facts | Told) => boolean | 'failed'
}

/** An expression of CEL, in parts: what is joined by `&&` at its top. */
export interface Condition {
  readonly text: string
  readonly reads: ReadonlySet<Fact>
  readonly parts: readonly Part[]
}

/** What is wrong with an expression, half a sentence, and where. */
export class ConditionFault extends Error {
  /** Counted from 1; 0 where it is the whole. */
  readonly position: number

  constructor(message: string, position: number) {
    super(message)
    this.name = 'ConditionFault'
    this.position = position
  }
}

/**
 * @param known what may be spoken of here
 * @throws {ConditionFault}
 */
export function parseCondition(text: string, known: readonly Fact[] = ALL_FACTS): Condition {
  const key = `${known.join()} ${text}`
  const ready = parsedBefore.get(key)
  if (ready !== undefined) return ready
  const made = parse(text, known)
  if (parsedBefore.size >= MAX_REMEMBERED) parsedBefore.clear()
  parsedBefore.set(key, made)
  return made
}

/** Each is parsed when it is checked and again when it is used, and with each reload. */
const parsedBefore = new Map<string, Condition>()

function parse(text: string, known: readonly Fact[]): Condition {
  if (text.length > MAX_LENGTH) throw new ConditionFault(`it has more than ${MAX_LENGTH} characters`, 0)
  const environment = environmentOf(known)
  const parsed = attempt(() => environment.parse(text), known)
  const root = parsed.ast as unknown as Node // the library says less of its trees than they hold
  for (const node of [...nodesOf(root)]) bound(node, environment)
  const { type, error, valid } = parsed.check()
  if (!valid) throw toFault(error, known)
  if (type !== 'bool' && type !== 'dyn') throw new ConditionFault(`it gives ${type}, not true or false`, 0)
  return { text, reads: readsOf(root), parts: conjunctsOf(root).map((node) => toPart(node, environment)) }
}

/** The budget of what is asked next: of one call, or one thing in a list. */
export function beginConditions(facts: Facts | Told): void {
  budget.begin(facts)
}

const budget = new Budget()
const environments = new Map<string, Environment>()

/** Those for the same facts are the same: making one takes a while. */
function environmentOf(known: readonly Fact[]): Environment {
  const key = known.join()
  const ready = environments.get(key)
  if (ready !== undefined) return ready
  const { Environment } = loadCel()
  const made = new Environment({ limits: { maxAstNodes: MAX_NODES, maxDepth: 32 } })
    .registerType('Principal', { ctor: PrincipalFacts, fields: PRINCIPAL })
    .registerType('Tool', { ctor: ToolFacts, fields: TOOL })
    .registerType('Prompt', { ctor: PromptFacts, fields: PROMPT })
    .registerType('Resource', { ctor: ResourceFacts, fields: RESOURCE })
    .registerType('Client', { ctor: ClientFacts, fields: CLIENT })
    .registerType('Result', { ctor: ResultFacts, fields: RESULT })
    .registerFunction(`${LOOK}(dyn): dyn`, (collection: unknown) => budget.look(collection), { async: false })
    .registerFunction(`string.${MATCH}(string): bool`, (of: string, pattern: string) => toMatcher(pattern)(of), {
      async: false,
    })
  for (const fact of known) made.registerVariable(fact, TYPES[fact])
  environments.set(key, made)
  return made
}

/** What would take time out of proportion is done by functions of our own: patterns, and looking through lists. */
function bound(node: Node, environment: Environment): void {
  const args: readonly unknown[] = Array.isArray(node.args) ? node.args : []
  const [name] = args
  if ((node.op === 'call' || node.op === 'rcall') && (name === LOOK || name === MATCH)) {
    throw new ConditionFault(`there is no function "${name}"`, node.start + 1)
  }
  if (node.op === 'rcall' && name === 'matches') {
    const [pattern] = Array.isArray(args[2]) ? (args[2] as unknown[]) : []
    if (!isNode(pattern) || pattern.op !== 'value' || typeof pattern.args !== 'string') {
      throw new ConditionFault('the pattern of matches() must be a text that stands there', node.start + 1)
    }
    try {
      toMatcher(pattern.args)
    } catch {
      throw new ConditionFault('the pattern of matches() cannot be used', pattern.start + 1)
    }
    node.args = [MATCH, ...args.slice(1)]
  }
  const range = node.meta.alternate?.args
  if (isComprehension(range)) {
    const wrapped = environment.parse(`${LOOK}(0)`).ast as unknown as Node
    wrapped.args = [LOOK, [range.iterable]]
    range.iterable = wrapped
  }
}

function isComprehension(args: unknown): args is { iterable: Node } {
  return typeof args === 'object' && args !== null && 'iterable' in args && isNode(args.iterable)
}

/** A part of a tree by itself: put into the place of a condition in a tree of its own. */
function toPart(node: Node, environment: Environment): Part {
  const host = environment.parse('true ? true : false')
  const root = host.ast as unknown as Node
  root.args = [node, ...(root.args as unknown[]).slice(1)] // those of a ternary are three
  const { valid, error } = host.check()
  if (!valid) throw toFault(error, ALL_FACTS)
  const slowly: Part['test'] = (facts) => test(host, facts)
  const quick = toQuick(node) ?? (asksAnnotationsOnly(node, LOOK) ? remembering(slowly) : slowly)
  return { text: loadCel().serialize(node as never), reads: readsOf(node), test: quick }
}

function test(parsed: ParseResult, facts: Facts | Told): boolean | 'failed' {
  try {
    const value: unknown = parsed(facts)
    return typeof value === 'boolean' ? value : 'failed'
  } catch {
    return 'failed'
  }
}

function readsOf(root: Node): ReadonlySet<Fact> {
  const names = [...nodesOf(root)].filter(({ op }) => op === 'id').map(({ args }) => args)
  return new Set(ALL_FACTS.filter((fact) => names.includes(fact)))
}

function attempt<T>(run: () => T, known: readonly Fact[]): T {
  try {
    return run()
  } catch (error) {
    throw toFault(error, known)
  }
}

/** Never quotes the expression: it may hold what is a secret. */
function toFault(error: unknown, known: readonly Fact[]): ConditionFault {
  const { code, range, node } = error as {
    readonly code?: string
    readonly range?: { readonly start: number }
    readonly node?: { readonly start?: number }
  }
  const position = (range?.start ?? node?.start ?? -1) + 1
  const said = code === undefined ? undefined : SAID[code]
  if (code === 'unknown_variable') return new ConditionFault(`known here are ${known.join(', ')}`, position)
  if (code === 'no_such_key') return new ConditionFault(`there is no such field; known are ${FIELDS}`, position)
  return new ConditionFault(said ?? 'this is no expression', position)
}

const SAID: { readonly [code: string]: string } = {
  no_such_overload: 'these types cannot be put together so',
  no_matching_overload: 'there is no such function for these types',
  limit_exceeded: 'it is too large',
  invalid_logical_operand: 'only what is true or false can be joined with && and ||',
  invalid_condition_type: 'what stands before ? must be true or false',
}

const PRINCIPAL = {
  id: 'string',
  tenant: 'string',
  roles: 'list<string>',
  scopes: 'list<string>',
  claims: 'map<string, dyn>',
}
const TOOL = { name: 'string', native: 'string', title: 'string', annotations: 'map<string, dyn>' }
const PROMPT = { name: 'string', native: 'string', title: 'string' }
const RESOURCE = { uri: 'string', name: 'string', mimeType: 'string', annotations: 'map<string, dyn>' }
const CLIENT = { name: 'string', version: 'string' }
const RESULT = { isError: 'bool', text: 'string', structured: 'dyn' }
const FIELDS = Object.entries({
  principal: PRINCIPAL,
  tool: TOOL,
  prompt: PROMPT,
  resource: RESOURCE,
  client: CLIENT,
  result: RESULT,
})
  .map(([name, fields]) => `${name}.{${Object.keys(fields).join(', ')}}`)
  .join(', ')

const TYPES: { readonly [Name in Fact]: string } = {
  principal: 'Principal',
  view: 'string',
  server: 'string',
  tool: 'Tool',
  prompt: 'Prompt',
  resource: 'Resource',
  method: 'string',
  arguments: 'map<string, dyn>',
  now: 'google.protobuf.Timestamp',
  client: 'Client',
  result: 'Result',
}
const ALL_FACTS = Object.keys(TYPES) as readonly Fact[] // the keys of a literal are its type's keys

const LOOK = '_look'
const MATCH = '_match'
/** As many as a configuration has rules. */
const MAX_REMEMBERED = 10_000
const MAX_LENGTH = 4_096
const MAX_NODES = 500
