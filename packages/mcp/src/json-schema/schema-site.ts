import type { JsonObject } from '../jsonrpc/frame.ts'
import type { Matcher } from './pattern/index.ts'
import { type Place, refused } from './places.ts'
import { toToken } from './refused.ts'
import type { SchemaNode } from './run.ts'
import type { Site } from './site.ts'

/** A subschema that is being compiled, and which others apply it to the same value. */
export interface Compiled extends SchemaNode {
  readonly place: Place
  /** Schemas applied to the same value. */
  readonly inPlace: Compiled[]
}

/** What a site asks of the compiler. */
export interface Compiling {
  nodeAt(place: Place): Compiled
  resolve(from: Place, keyword: string, reference: unknown): Place
  pattern(source: string, refuse: (message: string) => never): Matcher
  /** A dynamic reference goes by this name. */
  noteDynamicName(name: string): void
}

/** What the keywords see of one schema object. There is one for each subschema, so it has methods and no closures. */
export class SchemaSite implements Site {
  readonly schema: JsonObject
  readonly place: Place
  readonly assertsFormat: boolean
  /** Steps of each check. */
  cost = 1
  /** It applies no other schema. */
  isLeaf = true
  readonly #node: Compiled
  readonly #compiling: Compiling
  /** In draft-07 nothing beside `$ref` counts (core §8.3). */
  readonly #isOnlyRef: boolean

  constructor(compiling: Compiling, node: Compiled, schema: JsonObject, assertsFormats: boolean) {
    const { dialect } = node.place.resource
    this.#compiling = compiling
    this.#node = node
    this.schema = schema
    this.place = node.place
    this.assertsFormat = assertsFormats || dialect.assertsFormat
    this.#isOnlyRef = dialect.draft === 'draft-07' && schema.$ref !== undefined
  }

  value(keyword: string): unknown {
    if (!Object.hasOwn(this.schema, keyword) || !this.place.resource.dialect.keywords.has(keyword)) return undefined
    return this.#isOnlyRef && keyword !== '$ref' ? undefined : this.schema[keyword]
  }

  count(keyword: string): number | undefined {
    const count = this.value(keyword)
    if (count === undefined || (Number.isInteger(count) && Number(count) >= 0)) return count as number | undefined
    return this.refuse(keyword, 'expected a whole number of at least 0')
  }

  list(keyword: string): readonly unknown[] | undefined {
    const list = this.value(keyword)
    return list === undefined || Array.isArray(list) ? list : this.refuse(keyword, 'expected a list')
  }

  map(keyword: string): readonly (readonly [string, unknown])[] | undefined {
    const map = this.value(keyword)
    if (map === undefined) return undefined
    return typeof map === 'object' && map !== null ? Object.entries(map) : this.refuse(keyword, 'expected an object')
  }

  below(...path: readonly (string | number)[]): Compiled {
    this.isLeaf = false
    const { pointer, resource } = this.place
    const found = resource.document.places.get(`${pointer}/${path.map(toToken).join('/')}`)
    return found === undefined ? this.refuse(path.join('/'), 'expected a schema') : this.#compiling.nodeAt(found)
  }

  inPlace(...path: readonly (string | number)[]): Compiled {
    return this.#appliesHere(this.below(...path))
  }

  reference(keyword: string): Compiled {
    const place = this.#compiling.resolve(this.place, keyword, this.schema[keyword])
    return this.#appliesHere(this.#compiling.nodeAt(place))
  }

  dynamicReference(): { readonly node: SchemaNode; readonly name: string | undefined } {
    const node = this.reference('$dynamicRef')
    const name = String(this.schema.$dynamicRef).split('#')[1] ?? ''
    const isDynamic = node.place.resource.dynamicAnchors.get(name) === node.place
    if (isDynamic) this.#compiling.noteDynamicName(name)
    return { node, name: isDynamic ? name : undefined }
  }

  pattern(source: unknown, ...path: readonly (string | number)[]): Matcher {
    if (typeof source !== 'string') return this.refuse(path.join('/'), 'expected a pattern, which is text')
    return this.#compiling.pattern(source, (message) => this.refuse(path.map(toToken).join('/'), message))
  }

  costs(steps: number): void {
    this.cost += steps
  }

  refuse(path: string, message: string): never {
    const { pointer, resource } = this.place
    throw refused(resource.document, `${pointer}/${path}`, message)
  }

  #appliesHere(node: Compiled): Compiled {
    this.isLeaf = false
    this.#node.inPlace.push(node)
    return node
  }
}
