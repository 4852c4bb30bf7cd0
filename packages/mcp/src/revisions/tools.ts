import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject, without } from '../jsonrpc/members.ts'
import { changeMember } from './steps.ts'
import { toObjectSchema } from './structured-output.ts'

/** Toward revisions whose tools answer with objects and whose schemas describe properties by objects. */
export function toOlderTool(tool: JsonObject): JsonObject {
  const plain = changeMember(tool, 'inputSchema', withObjectProperties)
  if (plain.outputSchema === undefined) return plain
  if (!isObject(plain.outputSchema)) return without(plain, ['outputSchema'])
  return changeMember(plain, 'outputSchema', (schema) => {
    const output = toObjectSchema(schema)
    return output === undefined ? undefined : withObjectProperties(output)
  })
}

/**
 * From revisions with core tasks (`execution`) and servers that write schemas of older dialects. Undefined for a tool
 * the newest revision cannot have: its input must be an object.
 */
export function toNewerTool(tool: JsonObject): JsonObject | undefined {
  const bare = without(tool, ['execution'])
  const schema = bare.inputSchema
  if (!isObject(schema)) return undefined
  if (schema.type === undefined) return toNewerTool({ ...bare, inputSchema: { ...schema, type: 'object' } })
  if (schema.type !== 'object') return undefined
  return changeMember(changeMember(bare, 'inputSchema', toNewerDialect), 'outputSchema', toNewerDialect)
}

/** `true` and `false` as the description of a property, written as objects that mean the same. */
function withObjectProperties(schema: JsonObject): JsonObject {
  return changeMember(schema, 'properties', (properties) => {
    if (!Object.values(properties).some((property) => typeof property === 'boolean')) return properties
    return Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [
        name,
        property === true ? {} : property === false ? { not: {} } : property,
      ]),
    )
  })
}

/**
 * A schema that names no dialect is read as 2020-12 from now on, where lists of `items` and boolean exclusive bounds
 * would be wrong; older servers still write them. One that names its dialect is left to it.
 */
function toNewerDialect(schema: JsonObject): JsonObject {
  return schema.$schema === undefined ? convert(schema) : schema
}

function convert(schema: JsonObject): JsonObject {
  let at = Array.isArray(schema.items) ? toPrefixItems(schema) : schema
  at = toExclusiveBound(toExclusiveBound(at, 'minimum', 'exclusiveMinimum'), 'maximum', 'exclusiveMaximum')
  for (const keyword of Object.keys(at)) {
    if (MAPS.has(keyword)) at = changeMember(at, keyword, (schemas) => mapValues(schemas, convert))
    else if (SCHEMAS.has(keyword)) at = changeMember(at, keyword, convert)
    else if (LISTS.has(keyword)) at = withList(at, keyword)
  }
  return at
}

function toPrefixItems(schema: JsonObject): JsonObject {
  const { items, additionalItems, ...rest } = schema
  return { ...rest, prefixItems: items, ...(additionalItems === undefined ? {} : { items: additionalItems }) }
}

function toExclusiveBound(schema: JsonObject, bound: string, exclusive: string): JsonObject {
  if (typeof schema[exclusive] !== 'boolean') return schema
  const rest = without(schema, [exclusive])
  const isMoved = schema[exclusive] === true && typeof schema[bound] === 'number'
  return isMoved ? { ...without(rest, [bound]), [exclusive]: schema[bound] } : rest
}

function mapValues(schemas: JsonObject, change: (schema: JsonObject) => JsonObject): JsonObject {
  let changed = false
  const entries = Object.entries(schemas).map(([name, schema]): [string, unknown] => {
    const next = isObject(schema) ? change(schema) : schema
    if (next !== schema) changed = true
    return [name, next]
  })
  return changed ? Object.fromEntries(entries) : schemas
}

function withList(schema: JsonObject, keyword: string): JsonObject {
  const list = schema[keyword]
  if (!Array.isArray(list)) return schema
  const next = list.map((item) => (isObject(item) ? convert(item) : item))
  return next.some((item, index) => item !== list[index]) ? { ...schema, [keyword]: next } : schema
}

/** Keywords that hold schemas by name, one schema, or a list of them. */
const MAPS = new Set(['properties', 'patternProperties', '$defs', 'definitions'])
const SCHEMAS = new Set(['items', 'additionalProperties', 'contains', 'propertyNames', 'not', 'if', 'then', 'else'])
const LISTS = new Set(['prefixItems', 'allOf', 'anyOf', 'oneOf'])
