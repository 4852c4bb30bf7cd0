import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'

/** An argument that a tool's schema annotates with `x-mcp-header`: a header of the call mirrors it (2026-07-28 server/tools). */
export interface MirroredParam {
  /** `Mcp-Param-<Name>`. */
  readonly header: string
  /** Where the argument is: property names from the root of the arguments. */
  readonly path: readonly string[]
}

/** What the annotations of a tool's input schema say, or why they are not valid: then the tool must be left out. */
export function readMirroredParams(inputSchema: unknown): readonly MirroredParam[] | string {
  const found: MirroredParam[] = []
  const problem = walk(inputSchema, [], found, 0)
  if (problem !== undefined) return problem
  const names = new Set(found.map(({ header }) => header.toLowerCase()))
  return names.size === found.length ? found : 'two parameters have the same header name'
}

/** A schema without annotations that are not valid, and what was wrong with the first of them. */
export interface MendedMirrors {
  /** The very same where nothing was wrong. */
  readonly schema: JsonObject
  readonly problem: string | undefined
}

/**
 * Takes out the annotations that are not valid and nothing else, for lists that go on to others: what one reader ignores
 * would cost another one the whole tool. Of two with the same name the first stays. A schema that is nested too deeply to
 * be looked through is left as it is.
 */
export function withoutInvalidMirrors(schema: JsonObject): MendedMirrors {
  const problem = readMirroredParams(schema)
  if (typeof problem !== 'string') return { schema, problem: undefined }
  const mended = mend(schema, [], new Set(), 0)
  return mended === schema ? { schema, problem: undefined } : { schema: mended as JsonObject, problem } // an object stays one
}

/** @param path property names from the root while only `properties` were passed; undefined elsewhere */
function walk(
  schema: unknown,
  path: readonly string[] | undefined,
  found: MirroredParam[],
  depth: number,
): string | undefined {
  if (Array.isArray(schema)) return firstProblem(schema, (item) => walk(item, undefined, found, depth + 1))
  if (!isObject(schema)) return undefined
  if (depth > MAX_DEPTH) return 'the schema is nested too deeply'
  if (Object.hasOwn(schema, ANNOTATION)) {
    const problem = annotationProblem(schema, path)
    if (problem !== undefined) return problem
    found.push({ header: `Mcp-Param-${String(schema[ANNOTATION])}`, path: path ?? [] })
  }
  return firstProblem(Object.keys(schema), (keyword) => {
    const value = schema[keyword]
    if (keyword === 'properties' && isObject(value)) {
      return firstProblem(Object.keys(value), (name) =>
        walk(value[name], path === undefined ? undefined : [...path, name], found, depth + 1),
      )
    }
    if (MAPS_OF_SCHEMAS.has(keyword) && isObject(value)) {
      return firstProblem(Object.values(value), (item) => walk(item, undefined, found, depth + 1))
    }
    return SCHEMAS.has(keyword) ? walk(value, undefined, found, depth + 1) : undefined
  })
}

function annotationProblem(schema: JsonObject, path: readonly string[] | undefined): string | undefined {
  const name = schema[ANNOTATION]
  if (typeof name !== 'string' || !TOKEN.test(name)) return `"${ANNOTATION}" is not a header name`
  if (path === undefined || path.length === 0) return `"${ANNOTATION}" is not on a plain property`
  const { type } = schema
  if (type !== 'string' && type !== 'integer' && type !== 'boolean') {
    return `"${ANNOTATION}" is on a property that is not a string, an integer or a boolean`
  }
  return undefined
}

function firstProblem<T>(items: readonly T[], check: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const problem = check(item)
    if (problem !== undefined) return problem
  }
  return undefined
}

/** The same walk, with the annotations left out that {@link walk} would stop at. */
function mend(schema: unknown, path: readonly string[] | undefined, taken: Set<string>, depth: number): unknown {
  if (Array.isArray(schema)) return mapKept(schema, (item) => mend(item, undefined, taken, depth + 1))
  if (!isObject(schema) || depth > MAX_DEPTH) return schema
  return mapMembers(mendAnnotation(schema, path, taken), (keyword, value) => {
    if (keyword === 'properties' && isObject(value)) {
      return mapMembers(value, (name, item) => mend(item, path && [...path, name], taken, depth + 1))
    }
    if (MAPS_OF_SCHEMAS.has(keyword) && isObject(value)) {
      return mapMembers(value, (_, item) => mend(item, undefined, taken, depth + 1))
    }
    return SCHEMAS.has(keyword) ? mend(value, undefined, taken, depth + 1) : value
  })
}

function mendAnnotation(schema: JsonObject, path: readonly string[] | undefined, taken: Set<string>): JsonObject {
  if (!Object.hasOwn(schema, ANNOTATION)) return schema
  const { [ANNOTATION]: annotation, ...others } = schema
  if (annotationProblem(schema, path) !== undefined) return others
  const name = String(annotation).toLowerCase() // a text: it is valid
  if (taken.has(name)) return others
  taken.add(name)
  return schema
}

/** The same list where nothing became different. */
function mapKept(items: readonly unknown[], convert: (item: unknown) => unknown): readonly unknown[] {
  const converted = items.map(convert)
  return converted.every((item, at) => item === items[at]) ? items : converted
}

/** The same object where nothing became different; its members keep their order, whatever they are called. */
function mapMembers(value: JsonObject, convert: (name: string, member: unknown) => unknown): JsonObject {
  const before = Object.entries(value)
  const after = before.map(([name, member]) => [name, convert(name, member)] as const)
  return after.every(([, member], at) => member === before[at]?.[1]) ? value : Object.fromEntries(after)
}

const ANNOTATION = 'x-mcp-header'
/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const MAX_DEPTH = 64
const MAPS_OF_SCHEMAS: ReadonlySet<string> = new Set(['patternProperties', '$defs', 'definitions', 'dependentSchemas'])
const SCHEMAS: ReadonlySet<string> = new Set([
  'items',
  'prefixItems',
  'additionalItems',
  'unevaluatedItems',
  'contains',
  'additionalProperties',
  'unevaluatedProperties',
  'propertyNames',
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  'if',
  'then',
  'else',
])
