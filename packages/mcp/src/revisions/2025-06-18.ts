import type { JsonObject } from '../jsonrpc/frame.ts'
import type { Delta } from './revision.ts'
import { isObject, without } from './steps.ts'

/** No tasks, no URL elicitation, no primed streams. */
export const r20250618: Delta = {
  name: '2025-06-18',
  traits: { priming: false, tasks: 'none', errorWithoutId: false },
  removes: [
    'tasks/get',
    'tasks/result',
    'tasks/list',
    'tasks/cancel',
    'notifications/tasks/status',
    'notifications/elicitation/complete',
  ],
  down: {
    params: { 'elicitation/create': toPlainForm },
  },
}

/** Titled choices become `enum` with `enumNames`; defaults of strings and numbers are not known here yet. */
function toPlainForm(params: JsonObject): JsonObject {
  const schema = params.requestedSchema
  if (!isObject(schema) || !isObject(schema.properties)) return without(params, ['mode'])
  const properties = Object.fromEntries(
    Object.entries(schema.properties).map(([name, field]) => [name, isObject(field) ? toPlainField(field) : field]),
  )
  return { ...without(params, ['mode']), requestedSchema: { ...schema, properties } }
}

function toPlainField(field: JsonObject): JsonObject {
  if (Array.isArray(field.oneOf)) {
    const choices = field.oneOf.filter(isObject)
    return {
      ...without(field, ['oneOf', 'default']),
      enum: choices.map((choice) => choice.const),
      enumNames: choices.map((choice) => choice.title),
    }
  }
  return field.type === 'boolean' ? field : without(field, ['default'])
}
