import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'

/**
 * Structured output may be any JSON value in the newest revision and only an object before. A tool whose output
 * is never an object is wrapped as `{ result: … }` in list and call alike; one whose output may or may not be an
 * object loses its schema, since a call cannot tell which and no schema would hold for both.
 */
export function toObjectSchema(schema: JsonObject): JsonObject | undefined {
  const kind = outputKind(schema, schema, 0)
  if (kind === 'object') return schema.type === 'object' ? schema : { ...schema, type: 'object' }
  if (kind === 'either' || !canMove(schema)) return undefined
  const { $schema, $defs, definitions, ...result } = schema
  return {
    ...($schema === undefined ? {} : { $schema }),
    type: 'object',
    properties: { [WRAPPER]: result },
    required: [WRAPPER],
    ...($defs === undefined ? {} : { $defs }),
    ...(definitions === undefined ? {} : { definitions }),
  }
}

export function toObjectOutput(result: JsonObject): JsonObject {
  const value = result.structuredContent
  if (value === undefined || isObject(value)) return result
  return { ...withText(result, value), structuredContent: { [WRAPPER]: value } }
}

/** Makes sure that a caller who reads only text gets the value too. */
export function withText(result: JsonObject, value: unknown): JsonObject {
  const content: readonly unknown[] = Array.isArray(result.content) ? result.content : []
  if (content.some((block) => isObject(block) && block.type === 'text')) return result
  return { ...result, content: [...content, { type: 'text', text: JSON.stringify(value) }] }
}

/** Whether a schema lets nothing but objects through, though it may not say so at its root. */
export function isOfObjects(schema: JsonObject): boolean {
  return outputKind(schema, schema, 0) === 'object'
}

const WRAPPER = 'result'

/** What values a schema lets through, as far as it can be told without looking far. */
type Kind = 'object' | 'other' | 'either'

function outputKind(schema: unknown, root: JsonObject, depth: number): Kind {
  if (!isObject(schema) || depth > MAX_DEPTH) return 'either'
  const { type, allOf } = schema
  if (typeof type === 'string') return type === 'object' ? 'object' : 'other'
  if (Array.isArray(type)) return joined(type.map((name) => (name === 'object' ? 'object' : 'other')))
  if (Object.hasOwn(schema, 'const')) return isObject(schema.const) ? 'object' : 'other'
  if (Array.isArray(schema.enum)) return joined(schema.enum.map((value) => (isObject(value) ? 'object' : 'other')))
  const parts: Kind[] = Array.isArray(allOf) ? allOf.map((part) => outputKind(part, root, depth + 1)) : []
  for (const branches of [schema.anyOf, schema.oneOf]) {
    if (Array.isArray(branches)) parts.push(joined(branches.map((branch) => outputKind(branch, root, depth + 1))))
  }
  if (typeof schema.$ref === 'string') parts.push(outputKind(definition(schema.$ref, root), root, depth + 1))
  return parts.find((kind) => kind !== 'either') ?? 'either'
}

function joined(kinds: readonly Kind[]): Kind {
  const [first = 'either'] = kinds
  return kinds.every((kind) => kind === first) ? first : 'either'
}

/** A definition of the same schema, by name. */
function definition(pointer: string, root: JsonObject): unknown {
  const [, folder, name] = /^#\/(\$defs|definitions)\/([^/~%]+)$/.exec(pointer) ?? []
  if (folder === undefined || name === undefined) return undefined
  const definitions = root[folder]
  return isObject(definitions) && Object.hasOwn(definitions, name) ? definitions[name] : undefined
}

/** Whether the schema still means the same one level deeper: references may only go through what moves to the root. */
function canMove(schema: JsonObject): boolean {
  if (Object.hasOwn(schema, '$id')) return false
  for (const [, pointer] of JSON.stringify(schema).matchAll(/"\$(?:ref|dynamicRef|recursiveRef)":"([^"]*)"/g)) {
    if (pointer?.startsWith('#') && !/^#\/(?:\$defs|definitions)\//.test(pointer)) return false
  }
  return true
}

/** References and branches followed; deeper ones count as unknown. */
const MAX_DEPTH = 8
