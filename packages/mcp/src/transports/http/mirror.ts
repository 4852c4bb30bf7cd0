import type { JsonObject } from '../../jsonrpc/frame.ts'
import { isObject } from '../../jsonrpc/members.ts'
import { shown } from '../../jsonrpc/shown.ts'

/**
 * Headers that mirror the body (2026-07-28, Streamable HTTP: standard headers): `Mcp-Name` and, for arguments a
 * tool's schema annotates with `x-mcp-header`, `Mcp-Param-*`.
 */
export interface MirroredParam {
  /** `Mcp-Param-<Name>`. */
  readonly header: string
  /** Where the argument is: property names from the root of the arguments. */
  readonly path: readonly string[]
}

/**
 * A header value for a string, number or boolean. What plain visible ASCII cannot carry, or what would be read as
 * the marker itself, travels as base64 of its UTF-8.
 */
export function encodeHeaderValue(value: string | number | boolean): string {
  const text = String(value)
  if (PLAIN.test(text) && !(text.startsWith('=?base64?') && text.endsWith('?='))) return text
  return `=?base64?${Buffer.from(text, 'utf8').toString('base64')}?=`
}

/** What the annotations of a tool's input schema say, or why they are not valid: then the tool must be left out. */
export function readMirroredParams(inputSchema: unknown): readonly MirroredParam[] | string {
  const found: MirroredParam[] = []
  const problem = walk(inputSchema, [], found, 0)
  if (problem !== undefined) return problem
  const names = new Set(found.map(({ header }) => header.toLowerCase()))
  return names.size === found.length ? found : 'two parameters have the same header name'
}

/**
 * What the tool lists that passed through said about headers. Tools whose annotations are not valid are taken out
 * of the lists (2026-07-28 server/tools: a client MUST leave them out and keep the others).
 */
export class MirroredTools {
  readonly #params = new Map<string, readonly MirroredParam[]>()
  /** What was told already: lists are read again and again. */
  readonly #told = new Set<string>()
  readonly #left: (reason: string, tool: string) => void

  /** @param left told once of each tool that was left out, and why */
  constructor(left: (reason: string, tool: string) => void) {
    this.#left = left
  }

  /** Takes in one page of tools; returns it without those that must be left out. */
  learn(result: JsonObject): JsonObject {
    const { tools } = result
    if (!Array.isArray(tools)) return result
    const kept = tools.filter((tool) => this.#learnTool(tool))
    return kept.length === tools.length ? result : { ...result, tools: kept }
  }

  /** The headers that mirror the arguments of one call, as name, value, name, value. */
  headers(params: JsonObject): readonly string[] {
    const mirrored = this.#params.get(String(params.name))
    return mirrored === undefined ? NONE : mirrorArguments(mirrored, params.arguments)
  }

  #tell(name: string, problem: string): void {
    const reason = `Left out the tool "${shown(name)}": ${problem}`
    if (this.#told.has(reason) || this.#told.size >= MAX_TOOLS) return
    this.#told.add(reason)
    this.#left(reason, name)
  }

  #learnTool(tool: unknown): boolean {
    if (typeof tool !== 'object' || tool === null) return true
    const { name, inputSchema } = tool as JsonObject // any object has members of unknown type
    if (typeof name !== 'string') return true
    const params = readMirroredParams(inputSchema)
    if (typeof params === 'string') {
      this.#params.delete(name)
      this.#tell(name, params)
      return false
    }
    if (params.length === 0) this.#params.delete(name)
    else if (this.#params.size < MAX_TOOLS) this.#params.set(name, params)
    return true
  }
}

/** The headers for one call, as name, value, name, value. */
function mirrorArguments(params: readonly MirroredParam[], args: unknown): string[] {
  const headers: string[] = []
  for (const { header, path } of params) {
    let value: unknown = args
    for (const key of path) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
    // A number of the wrong kind is mirrored as it is: the server says then what is wrong with it.
    if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') {
      headers.push(header, encodeHeaderValue(value))
    }
  }
  return headers
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

const NONE: readonly string[] = []
/** Tools with annotations remembered for one server. */
const MAX_TOOLS = 10_000
const ANNOTATION = 'x-mcp-header'
/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Visible ASCII with blanks and tabs inside only, or nothing at all. */
const PLAIN = /^(?:[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?$/
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
