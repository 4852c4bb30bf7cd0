import type { JsonObject } from '../jsonrpc/frame.ts'
import { arrayKeywords } from './keywords/arrays.ts'
import { combinedKeywords } from './keywords/combined.ts'
import { numberKeywords } from './keywords/numbers.ts'
import { objectKeywords } from './keywords/objects.ts'
import { stringKeywords } from './keywords/strings.ts'
import { typeKeywords } from './keywords/types.ts'
import { unevaluatedKeywords } from './keywords/unevaluated.ts'
import { alwaysConforms, type NodeParts, neverConforms, toNodeCheck } from './node-check.ts'
import { type Matcher, Patterns } from './pattern/index.ts'
import { type Library, type Place, type Resource, refused } from './places.ts'
import { resolveReference } from './resolve.ts'
import type { Check, SchemaNode, Scope } from './run.ts'
import { type Compiled, type Compiling, SchemaSite } from './schema-site.ts'
import type { Keywords } from './site.ts'

/** In the order they are checked: cheap ones and those that say most come first. */
const KEYWORDS: readonly Keywords[] = [
  typeKeywords,
  numberKeywords,
  stringKeywords,
  arrayKeywords,
  objectKeywords,
  combinedKeywords,
]

/** Which of `KEYWORDS` a keyword belongs to, or to those that come last, as one bit. */
const GROUP_OF: ReadonlyMap<string, number> = new Map(
  [...KEYWORDS, unevaluatedKeywords].flatMap(({ names }, at) =>
    names.split(' ').map((name): [string, number] => [name, 1 << at]),
  ),
)

const LAST_GROUP = 1 << KEYWORDS.length

/** Compiles a schema and all it refers to. Subschemas wait in line, so that no chain of references goes deep. */
export class Compiler implements Compiling {
  readonly #library: Library
  readonly #assertsFormats: boolean
  readonly #nodes = new Map<Place, Compiled>()
  readonly #waiting: Compiled[] = []
  readonly #patterns: Patterns
  readonly #filled: { readonly node: Compiled; readonly parts: NodeParts }[] = []
  readonly #scopes = new Map<Resource, DynamicScope>()
  readonly #dynamicNames = new Set<string>()

  constructor(library: Library, assertsFormats: boolean) {
    this.#library = library
    this.#assertsFormats = assertsFormats
    this.#patterns = new Patterns(library.work)
  }

  /** @throws {JsonSchemaError} for a schema that says something it cannot mean, or that can only go on forever */
  compile(root: Place): SchemaNode {
    const node = this.nodeAt(root)
    do {
      for (let next = this.#waiting.pop(); next !== undefined; next = this.#waiting.pop()) this.#fill(next)
      this.#prepareDynamic()
    } while (this.#waiting.length > 0)
    checkAllEnd(this.#nodes.values())
    const isDynamic = this.#dynamicNames.size > 0
    for (const { node: each, parts } of this.#filled) {
      each.check = toNodeCheck(parts, isDynamic ? this.#scopeOf(each.place.resource) : undefined)
    }
    return node
  }

  nodeAt(place: Place): Compiled {
    const known = this.#nodes.get(place)
    if (known !== undefined) return known
    const node: Compiled = { place, check: neverConforms, inPlace: [] }
    this.#nodes.set(place, node)
    this.#waiting.push(node)
    return node
  }

  resolve(from: Place, keyword: string, reference: unknown): Place {
    return resolveReference(this.#library, from, keyword, reference)
  }

  pattern(source: string, refuse: (message: string) => never): Matcher {
    const matcher = this.#patterns.matcherOf(source)
    return typeof matcher === 'string' ? refuse(`cannot use the pattern: ${matcher}`) : matcher
  }

  noteDynamicName(name: string): void {
    this.#dynamicNames.add(name)
  }

  #fill(node: Compiled): void {
    const { schema, resource } = node.place
    if (typeof schema !== 'object' || schema === null) {
      node.check = schema === false ? neverConforms : alwaysConforms
      return
    }
    this.#scopeOf(resource)
    const site = new SchemaSite(this, node, schema as JsonObject, this.#assertsFormats) // the walk told it from lists
    let groups = 0
    for (const name in schema) groups |= GROUP_OF.get(name) ?? 0
    const checks: Check[] = []
    for (const [at, keywords] of KEYWORDS.entries()) {
      if ((groups & (1 << at)) !== 0) checks.push(...keywords.toChecks(site))
    }
    const last = groups < LAST_GROUP ? [] : unevaluatedKeywords.toChecks(site)
    const { cost, isLeaf } = site
    this.#filled.push({ node, parts: { checks, last, cost, isLeaf } })
  }

  #scopeOf(resource: Resource): DynamicScope {
    const known = this.#scopes.get(resource)
    if (known !== undefined) return known
    const scope = { dynamicNodes: new Map<string, SchemaNode>() }
    this.#scopes.set(resource, scope)
    return scope
  }

  /** Whatever a dynamic reference may lead to must be there when it does. */
  #prepareDynamic(): void {
    if (this.#dynamicNames.size === 0) return
    for (const [{ dynamicAnchors }, { dynamicNodes }] of this.#scopes) {
      this.#library.work.spend(1 + dynamicAnchors.size)
      for (const [name, place] of dynamicAnchors) {
        if (this.#dynamicNames.has(name) && !dynamicNodes.has(name)) dynamicNodes.set(name, this.nodeAt(place))
      }
    }
  }
}

interface DynamicScope extends Scope {
  readonly dynamicNodes: Map<string, SchemaNode>
}

/** A schema that applies itself to the same value again would never be done with it. */
function checkAllEnd(nodes: Iterable<Compiled>): void {
  const ended = new Set<Compiled>()
  const onTheWay = new Set<Compiled>()
  const visit = (node: Compiled): void => {
    if (ended.has(node)) return
    if (onTheWay.has(node)) {
      const { pointer, resource } = node.place
      throw refused(resource.document, pointer, 'the schema applies itself to the same value again, which never ends')
    }
    onTheWay.add(node)
    for (const next of node.inPlace) visit(next)
    onTheWay.delete(node)
    ended.add(node)
  }
  for (const node of nodes) visit(node)
}
