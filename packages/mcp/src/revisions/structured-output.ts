import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject, without } from './steps.ts'

/**
 * Structured output may be any JSON value in the newest revision and only an object before. A tool whose output
 * is never an object is wrapped as `{ result: … }` in list and call alike; one whose output may or may not be an
 * object loses its schema, since no schema would hold for both.
 */

export function toObjectTool(tool: JsonObject): JsonObject {
  const schema = tool.outputSchema
  if (schema === undefined) return tool
  if (isObject(schema) && schema.type === 'object') return tool
  if (!isObject(schema) || mayBeObject(schema) || !canMove(schema)) return without(tool, ['outputSchema'])
  const { $schema, $defs, definitions, ...result } = schema
  return {
    ...tool,
    outputSchema: {
      ...($schema === undefined ? {} : { $schema }),
      type: 'object',
      properties: { [WRAPPER]: result },
      required: [WRAPPER],
      ...($defs === undefined ? {} : { $defs }),
      ...(definitions === undefined ? {} : { definitions }),
    },
  }
}

export function toObjectOutput(result: JsonObject): JsonObject {
  if (!Object.hasOwn(result, 'structuredContent') || isObject(result.structuredContent)) return result
  const value = result.structuredContent
  const content = Array.isArray(result.content) ? result.content : []
  const hasText = content.some((block) => isObject(block) && block.type === 'text')
  return {
    ...result,
    content: hasText ? content : [...content, { type: 'text', text: JSON.stringify(value) }],
    structuredContent: { [WRAPPER]: value },
  }
}

const WRAPPER = 'result'

function mayBeObject(schema: JsonObject): boolean {
  const { type } = schema
  if (typeof type === 'string') return type === 'object'
  return !Array.isArray(type) || type.includes('object')
}

/** Whether the schema still means the same one level deeper: references may only go through what moves to the root. */
function canMove(schema: JsonObject): boolean {
  for (const [, pointer] of JSON.stringify(schema).matchAll(/"\$(?:ref|dynamicRef)":"(#[^"]*)"/g)) {
    if (pointer !== undefined && !pointer.startsWith('#/$defs/') && !pointer.startsWith('#/definitions/')) return false
  }
  return true
}
