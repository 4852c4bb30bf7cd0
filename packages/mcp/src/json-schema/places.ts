import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'
import {
  ASSUMED_2020_12,
  type Dialect,
  dialectOf,
  HOLDS_SCHEMA,
  HOLDS_SCHEMAS_BY_NAME,
  officialDialect,
  SUPPORTED,
} from './dialect.ts'
import type { JsonSchemaLimits } from './limits.ts'
import { JsonSchemaError, NEEDS_ESCAPE, toToken } from './refused.ts'
import type { Work } from './work.ts'

/** A schema with an identity of its own: a document, or a part of one that has an `$id`. */
export interface Resource {
  /** Absolute, without a fragment. */
  readonly uri: string
  readonly dialect: Dialect
  readonly document: Document
  /** Where in the document it begins. */
  readonly pointer: string
  /** Places by the names of `$anchor` and `$dynamicAnchor`. */
  readonly anchors: Map<string, Place>
  readonly dynamicAnchors: Map<string, Place>
}

/** A schema as it was given, whole. */
export interface Document {
  readonly root: unknown
  /** Written in front of pointers in messages: empty for the schema that is compiled. */
  readonly label: string
  /** Subschemas by their JSON Pointer. */
  readonly places: Map<string, Place>
}

/** One subschema: what it says, and in which resource that is to be read. */
export interface Place {
  readonly schema: unknown
  readonly pointer: string
  readonly resource: Resource
}

/** All schemas that can be referred to. Nothing is ever fetched. */
export interface Library {
  readonly limits: JsonSchemaLimits
  /** Documents nobody has looked into yet, by URI. */
  readonly given: ReadonlyMap<string, unknown>
  readonly resources: Map<string, Resource>
  /** Subschemas so far, counted against the limit. */
  subschemas: number
  readonly work: Work
}

/**
 * Reads a document: what its identities are and where its subschemas stand.
 * @param counted whether its subschemas count against the limit: ours do not
 * @throws {JsonSchemaError} for a dialect that is not known, an identity that is no URI, or too much of anything
 */
export function readDocument(library: Library, root: unknown, uri: string, label: string, counted: boolean): Place {
  const document: Document = { root, label, places: new Map() }
  const outer = newResource(document, '', uri, ASSUMED_2020_12)
  library.resources.set(uri, outer)
  return walk({ library, document, counted }, root, '', outer, 0)
}

/** The place at a pointer that no keyword leads to, such as a part of an unknown keyword that is referred to. */
export function readHiddenPlace(library: Library, resource: Resource, pointer: string, schema: unknown): Place {
  return walk({ library, document: resource.document, counted: true }, schema, pointer, resource, 0)
}

interface Walk {
  readonly library: Library
  readonly document: Document
  readonly counted: boolean
}

function walk(at: Walk, schema: unknown, pointer: string, outer: Resource, depth: number): Place {
  const { library, document } = at
  if (typeof schema === 'boolean') return addPlace(at, { schema, pointer, resource: outer })
  if (!isObject(schema)) throw refused(document, pointer, 'a schema is an object, true or false')
  if (depth > library.limits.maxDepth) {
    throw refused(document, pointer, `schemas nest deeper than ${library.limits.maxDepth} levels`)
  }
  const place = addPlace(at, { schema, pointer, resource: toResource(at, schema, pointer, outer) })
  noteAnchors(place)
  for (const keyword of Object.keys(schema)) walkKeyword(at, place, keyword, depth)
  return place
}

function walkKeyword(at: Walk, { schema, pointer, resource }: Place, keyword: string, depth: number): void {
  const byName = HOLDS_SCHEMAS_BY_NAME.has(keyword)
  if (!byName && !HOLDS_SCHEMA.has(keyword)) return
  if (keyword !== '$defs' && !resource.dialect.keywords.has(keyword)) return
  const held = (schema as JsonObject)[keyword] // walk() saw that it is an object
  const below = `${pointer}/${toToken(keyword)}`
  if (byName) {
    if (!isObject(held)) throw refused(at.document, below, 'expected an object of schemas')
    for (const [name, part] of Object.entries(held)) {
      at.library.work.spend(NEEDS_ESCAPE.test(name) ? 2 * name.length : name.length >> 3)
      if (keyword === 'dependencies' && Array.isArray(part)) continue
      walk(at, part, `${below}/${toToken(name)}`, resource, depth + 1)
    }
  } else if (Array.isArray(held)) {
    for (const [index, part] of held.entries()) walk(at, part, `${below}/${index}`, resource, depth + 1)
  } else {
    walk(at, held, below, resource, depth + 1)
  }
}

function addPlace({ library, document, counted }: Walk, place: Place): Place {
  if (counted && ++library.subschemas > library.limits.maxSubschemas) {
    throw refused(document, place.pointer, `a schema has at most ${library.limits.maxSubschemas} subschemas`)
  }
  library.work.spend(SUBSCHEMA_WORK + (place.pointer.length >> 4))
  if (place.pointer.length > MAX_POINTER) throw refused(document, '', 'the names around a subschema are too long')
  document.places.set(place.pointer, place)
  return place
}

/** Work of one subschema, with the keywords it has. */
const SUBSCHEMA_WORK = 20

/** Characters of a pointer: each subschema has one. */
const MAX_POINTER = 4_096

/** The resource a subschema belongs to: the one around it, unless it has an `$id`. */
function toResource({ library, document }: Walk, schema: JsonObject, pointer: string, outer: Resource): Resource {
  const declared = schema.$schema
  const isRoot = pointer === ''
  const dialect =
    declared !== undefined && (isRoot || typeof schema.$id === 'string')
      ? toDialect(library, document, pointer, declared)
      : outer.dialect
  const id = ownId(schema, dialect)
  if (id === undefined && !isRoot) return outer
  const uri = id === undefined ? outer.uri : resolveUri(id, outer.uri, library.work)?.split('#')[0]
  if (uri === undefined) throw refused(document, `${pointer}/$id`, `"${id}" is not a URI`)
  const resource = newResource(document, pointer, uri, dialect)
  // What was given under a name stays reachable by it, whatever it calls itself.
  if (isRoot) library.resources.set(outer.uri, resource)
  if (!library.resources.has(uri)) library.resources.set(uri, resource)
  return resource
}

function ownId({ $id, $ref }: JsonObject, { draft }: Dialect): string | undefined {
  if (typeof $id !== 'string') return undefined
  // In draft-07 nothing beside `$ref` counts, and an identity that is a fragment is an anchor.
  if (draft === 'draft-07' && ($ref !== undefined || $id.startsWith('#'))) return undefined
  return $id
}

function toDialect(library: Library, document: Document, pointer: string, declared: unknown): Dialect {
  const at = `${pointer}/$schema`
  if (typeof declared !== 'string') throw refused(document, at, 'expected a URI')
  const official = officialDialect(declared)
  if (official !== undefined) return official
  const metaschema = library.given.get(declared.replace(/#$/, ''))
  if (!isObject(metaschema)) throw refused(document, at, `"${declared}" is not supported; supported are ${SUPPORTED}`)
  if (!isObject(metaschema.$vocabulary)) return ASSUMED_2020_12
  const dialect = dialectOf(metaschema.$vocabulary)
  if (typeof dialect === 'object') return dialect
  throw refused(document, at, `"${declared}" requires the vocabulary "${dialect}", which is not supported`)
}

function noteAnchors(place: Place): void {
  const { $id, $anchor, $dynamicAnchor, $ref } = place.schema as JsonObject // walk() saw that it is an object
  const { dialect, anchors, dynamicAnchors } = place.resource
  if (dialect.draft === 'draft-07') {
    if (typeof $id === 'string' && $id.startsWith('#') && $ref === undefined) anchors.set($id.slice(1), place)
    return
  }
  if (typeof $anchor === 'string') anchors.set($anchor, place)
  if (typeof $dynamicAnchor === 'string') {
    anchors.set($dynamicAnchor, place)
    dynamicAnchors.set($dynamicAnchor, place)
  }
}

function newResource(document: Document, pointer: string, uri: string, dialect: Dialect): Resource {
  return { uri, dialect, document, pointer, anchors: new Map(), dynamicAnchors: new Map() }
}

/** RFC 3986 §5, by the URL of the platform, which knows `urn:` and a base without authority. */
export function resolveUri(reference: string, base: string, work: Work): string | undefined {
  work.spend(URI_WORK + ((reference.length + base.length) >> 3) + hostWork(reference))
  try {
    return new URL(reference, base).href
  } catch {
    return undefined
  }
}

/** Looking at a host of other scripts takes time that grows with the square of its length (IDNA). */
function hostWork(reference: string): number {
  if (OTHER_SCRIPTS.test(reference)) return reference.length ** 2 / 64
  return reference.includes('%') && reference.includes('//') ? (reference.length / 9) ** 2 / 64 : 0
}

const OTHER_SCRIPTS = /[^\0-\x7f]/

/** Work of taking a URI apart, besides what its length takes. */
const URI_WORK = 20

export function refused(document: Document, pointer: string, message: string): JsonSchemaError {
  return new JsonSchemaError(`${document.label}${pointer}`, message)
}
