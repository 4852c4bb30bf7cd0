import type { Facts, Told } from './facts.ts'
import { isNode, type Node, nodesOf } from './syntax.ts'

/**
 * Ways to tell what most conditions ask without walking their trees: there may be thousands of rules, each asked of thousands
 * of things. The outcome is the one the language gives, in every case.
 */

export type Outcome = boolean | 'failed'
type Test = (facts: Facts | Told) => Outcome

/** For a text of what is known held against a text that stands there; undefined for anything else. */
export function toQuick(node: Node): Test | undefined {
  if (node.op === '!_') return isNode(node.args) ? negated(toQuick(node.args)) : undefined
  const args: readonly unknown[] = Array.isArray(node.args) ? node.args : []
  if (node.op === '==' || node.op === '!=') {
    const [left, right] = args
    const [read, text] = [toText(left) ?? toText(right), toLiteral(left) ?? toLiteral(right)]
    if (read === undefined || text === undefined) return undefined
    const test = of(read, (known) => known === text)
    return node.op === '==' ? test : negated(test)
  }
  if (node.op === 'in') {
    const [left, right] = args
    const [text, list] = [toLiteral(left), toList(right)]
    return text === undefined || list === undefined ? undefined : of(list, (known) => known.includes(text))
  }
  if (node.op === 'rcall') {
    const [name, on, given] = args
    const compare = typeof name === 'string' && Object.hasOwn(COMPARISONS, name) ? COMPARISONS[name] : undefined
    const [text, read] = [Array.isArray(given) && given.length === 1 ? toLiteral(given[0]) : undefined, toText(on)]
    if (compare === undefined || text === undefined || read === undefined) return undefined
    return of(read, (known) => compare(known, text))
  }
  return undefined
}

/**
 * Whether it asks of a thing nothing but its annotations, of which there are few, and of all else only `server` and `view`.
 * What looks through lists does so within the budget of a call, and is asked anew.
 */
export function asksAnnotationsOnly(node: Node, look: string): boolean {
  const all = [...nodesOf(node)]
  const isFree = all.every(({ op, args }) => !(op === 'call' && Array.isArray(args) && args[0] === look))
  if (!isFree || all.some(({ meta }) => meta.alternate !== undefined)) return false
  const ofThings = all.filter(({ op, args }) => op === 'id' && typeof args === 'string' && THINGS.has(args))
  const annotations = all.filter(({ op, args }) => op === '.' && isAnnotations(args))
  const others = all.filter(({ op, args }) => op === 'id' && !THINGS.has(String(args)) && !PLAIN.has(String(args)))
  return ofThings.length > 0 && ofThings.length === annotations.length && others.length === 0
}

/** The same, asked once for each set of annotations. */
export function remembering(test: Test): Test {
  const known = new Map<string, Outcome>()
  return (facts) => {
    const key = keyOf(facts)
    if (key === undefined) return test(facts)
    const before = known.get(key)
    if (before !== undefined) return before
    const outcome = test(facts)
    if (known.size >= MAX_KNOWN) known.clear()
    known.set(key, outcome)
    return outcome
  }
}

/** The same for facts that are alike to such a condition; made once for all rules that are asked. Undefined: of no such thing. */
function keyOf(facts: Facts | Told): string | undefined {
  const known = keys.get(facts)
  if (known !== undefined) return known
  const { tool, resource, server, view } = facts
  if (tool === undefined && resource === undefined) return undefined
  const key = JSON.stringify([tool?.annotations, resource?.annotations, server, view].map((one) => one ?? null))
  keys.set(facts, key)
  return key
}

const keys = new WeakMap<object, string>()

function of<T>(read: (facts: Facts | Told) => T | undefined, test: (known: T) => boolean): Test {
  return (facts) => {
    const known = read(facts)
    return known === undefined ? 'failed' : test(known)
  }
}

function negated(test: Test | undefined): Test | undefined {
  if (test === undefined) return undefined
  return (facts) => {
    const outcome = test(facts)
    return outcome === 'failed' ? 'failed' : !outcome
  }
}

function toLiteral(node: unknown): string | undefined {
  return isNode(node) && node.op === 'value' && typeof node.args === 'string' ? node.args : undefined
}

function toText(node: unknown): ((facts: Facts | Told) => string | undefined) | undefined {
  if (!isNode(node)) return undefined
  if (node.op === 'id') return TEXTS.get(String(node.args))
  const path = toPath(node)
  return path === undefined ? undefined : TEXTS.get(path)
}

function toList(node: unknown): ((facts: Facts | Told) => readonly string[] | undefined) | undefined {
  const path = isNode(node) ? toPath(node) : undefined
  return path === undefined ? undefined : LISTS.get(path)
}

/** `tool.name` of a member of what is known. */
function toPath({ op, args }: Node): string | undefined {
  if (op !== '.' || !Array.isArray(args)) return undefined
  const [of, field] = args as readonly unknown[]
  return isNode(of) && of.op === 'id' && typeof field === 'string' ? `${String(of.args)}.${field}` : undefined
}

function isAnnotations(args: unknown): boolean {
  if (!Array.isArray(args)) return false
  const [of, field] = args as readonly unknown[]
  return field === 'annotations' && isNode(of) && of.op === 'id' && THINGS.has(String(of.args))
}

const TEXTS: ReadonlyMap<string, (facts: Facts | Told) => string | undefined> = new Map([
  ['server', ({ server }: Facts | Told) => server],
  ['view', ({ view }: Facts | Told) => view],
  ['method', ({ method }: Facts | Told) => method],
  ['principal.id', ({ principal }: Facts | Told) => principal?.id],
  ['principal.tenant', ({ principal }: Facts | Told) => principal?.tenant],
  ['tool.name', ({ tool }: Facts | Told) => tool?.name],
  ['tool.native', ({ tool }: Facts | Told) => tool?.native],
  ['tool.title', ({ tool }: Facts | Told) => tool?.title],
  ['prompt.name', ({ prompt }: Facts | Told) => prompt?.name],
  ['resource.uri', ({ resource }: Facts | Told) => resource?.uri],
  ['resource.mimeType', ({ resource }: Facts | Told) => resource?.mimeType],
])
const LISTS: ReadonlyMap<string, (facts: Facts | Told) => readonly string[] | undefined> = new Map([
  ['principal.roles', ({ principal }: Facts | Told) => principal?.roles],
  ['principal.scopes', ({ principal }: Facts | Told) => principal?.scopes],
])
const COMPARISONS: Readonly<Record<string, (known: string, text: string) => boolean>> = {
  startsWith: (known, text) => known.startsWith(text),
  endsWith: (known, text) => known.endsWith(text),
  contains: (known, text) => known.includes(text),
}
const THINGS: ReadonlySet<string> = new Set(['tool', 'resource'])
const PLAIN: ReadonlySet<string> = new Set(['server', 'view'])
const MAX_KNOWN = 256
