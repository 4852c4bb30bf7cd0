import type { JsonObject } from '../jsonrpc/frame.ts'
import { arrayKeywords } from './keywords/arrays.ts'
import { combinedKeywords } from './keywords/combined.ts'
import { numberKeywords } from './keywords/numbers.ts'
import { objectKeywords } from './keywords/objects.ts'
import { stringKeywords } from './keywords/strings.ts'
import { typeKeywords } from './keywords/types.ts'
import { unevaluatedKeywords } from './keywords/unevaluated.ts'
import { alwaysConforms, type NodeParts, neverConforms, toNodeCheck } from './node-check.ts'
import { compilePattern, type Matcher, patternRoom } from './pattern/index.ts'
import { type Library, type Place, type Resource, refused } from './places.ts'
import { toToken } from './refused.ts'
import { resolveReference } from './resolve.ts'
import type { SchemaNode, Scope } from './run.ts'
import type { Keywords, Site } from './site.ts'

/** In the order they are checked: cheap ones and those that say most come first. */
const KEYWORDS: readonly Keywords[] = [
  typeKeywords,
  numberKeywords,
  stringKeywords,
  arrayKeywords,
  objectKeywords,
  combinedKeywords,
]

interface Compiled extends SchemaNode {
  readonly place: Place
  /** Schemas applied to the same value. */
  readonly inPlace: Compiled[]
}

/** Compiles a schema and all it refers to. Subschemas wait in line, so that no chain of references goes deep. */
export class Compiler {
  readonly #library: Library
  readonly #assertsFormats: boolean
  readonly #nodes = new Map<Place, Compiled>()
  readonly #waiting: Compiled[] = []
  readonly #patternRoom = patternRoom()
  readonly #patterns = new Map<string, Matcher>()
  readonly #filled: { readonly node: Compiled; readonly parts: NodeParts }[] = []
  readonly #scopes = new Map<Resource, DynamicScope>()
  readonly #dynamicNames = new Set<string>()

  constructor(library: Library, assertsFormats: boolean) {
    this.#library = library
    this.#assertsFormats = assertsFormats
  }

  /** @throws {JsonSchemaError} for a schema that says something it cannot mean, or that can only go on forever */
  compile(root: Place): SchemaNode {
    const node = this.#nodeAt(root)
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

  #nodeAt(place: Place): Compiled {
    const known = this.#nodes.get(place)
    if (known !== undefined) return known
    const node: Compiled = { place, check: neverConforms, inPlace: [] }
    this.#nodes.set(place, node)
    this.#waiting.push(node)
    return node
  }

  #fill(node: Compiled): void {
    const { schema, resource } = node.place
    if (typeof schema !== 'object' || schema === null) {
      node.check = schema === false ? neverConforms : alwaysConforms
      return
    }
    this.#scopeOf(resource)
    let cost = 1
    let isLeaf = true
    const site = this.#siteOf(
      node,
      schema as JsonObject, // walking the document told it from lists
      (steps) => {
        cost += steps
      },
      () => {
        isLeaf = false
      },
    )
    const checks = KEYWORDS.flatMap((keywords) => keywords(site))
    const last = unevaluatedKeywords(site)
    this.#filled.push({ node, parts: { checks, last, cost, isLeaf } })
  }

  #siteOf(node: Compiled, schema: JsonObject, costs: Site['costs'], applies: () => void): Site {
    const { place } = node
    const { dialect, document } = place.resource
    // In draft-07 nothing beside `$ref` counts (core §8.3).
    const isOnlyRef = dialect.draft === 'draft-07' && schema.$ref !== undefined
    const value = (keyword: string): unknown => {
      if (!dialect.keywords.has(keyword) || (isOnlyRef && keyword !== '$ref')) return undefined
      return Object.hasOwn(schema, keyword) ? schema[keyword] : undefined
    }
    const refuse = (path: string, message: string): never => {
      throw refused(document, `${place.pointer}/${path}`, message)
    }
    const below = (...path: readonly (string | number)[]): Compiled => {
      applies()
      const found = document.places.get(`${place.pointer}/${path.map(toToken).join('/')}`)
      return found === undefined ? refuse(path.join('/'), 'expected a schema') : this.#nodeAt(found)
    }
    const inPlace = (target: Compiled): Compiled => {
      applies()
      node.inPlace.push(target)
      return target
    }
    const refersTo = (keyword: string): Compiled =>
      inPlace(this.#nodeAt(resolveReference(this.#library, place, keyword, schema[keyword])))
    return {
      schema,
      place,
      assertsFormat: this.#assertsFormats || dialect.assertsFormat,
      value,
      costs,
      refuse,
      below,
      inPlace: (...path) => inPlace(below(...path)),
      reference: refersTo,
      dynamicReference: () => {
        const target = refersTo('$dynamicRef')
        const name = String(schema.$dynamicRef).split('#')[1] ?? ''
        const isDynamic = target.place.resource.dynamicAnchors.get(name) === target.place
        if (isDynamic) this.#dynamicNames.add(name)
        return { node: target, name: isDynamic ? name : undefined }
      },
      count(keyword) {
        const count = value(keyword)
        if (count === undefined || (Number.isInteger(count) && Number(count) >= 0)) return count as number | undefined
        return refuse(keyword, 'expected a whole number of at least 0')
      },
      list(keyword) {
        const list = value(keyword)
        return list === undefined || Array.isArray(list) ? list : refuse(keyword, 'expected a list')
      },
      map(keyword) {
        const map = value(keyword)
        if (map === undefined) return undefined
        return typeof map === 'object' && map !== null ? Object.entries(map) : refuse(keyword, 'expected an object')
      },
      pattern: (source, ...path) => {
        if (typeof source !== 'string') return refuse(path.join('/'), 'expected a pattern, which is text')
        return this.#pattern(source, (message) => refuse(path.map(toToken).join('/'), message))
      },
    }
  }

  #pattern(source: string, refuse: (message: string) => never): Matcher {
    const known = this.#patterns.get(source)
    if (known !== undefined) return known
    const compiled = compilePattern(source, this.#patternRoom)
    if (typeof compiled === 'string') return refuse(`cannot use the pattern: ${compiled}`)
    this.#patterns.set(source, compiled)
    return compiled
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
    for (const [resource, { dynamicNodes }] of this.#scopes) {
      for (const name of this.#dynamicNames) {
        const place = resource.dynamicAnchors.get(name)
        if (place !== undefined && !dynamicNodes.has(name)) dynamicNodes.set(name, this.#nodeAt(place))
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
