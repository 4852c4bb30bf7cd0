import { McpError } from '../errors.ts'
import { type CompiledJsonSchema, compileJsonSchema, JsonSchemaError } from '../json-schema/index.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'
import { shown } from '../jsonrpc/shown.ts'

/**
 * A form of a server (2025-11-25 client/elicitation: requested schema), ready to be answered. A whole JSON Schema
 * checks what we send, formats included: a strict server must find nothing wrong with it. What our own servers take
 * from others is more (`server/asking/fields.ts` says why).
 */
export interface Form {
  /**
   * The content to send: fields that were left out get the default the form has for them (SEP-1034).
   * @throws {McpError} `internal.error` where it does not fit the form, and must not be sent
   */
  complete(content: JsonObject): JsonObject
}

/** @throws {McpError} `caller.invalid_params` for a form whose answers could not be checked */
export function readForm(requestedSchema: JsonObject): Form {
  const schema = compile(requestedSchema)
  const fields = isObject(requestedSchema.properties) ? requestedSchema.properties : {}
  const defaults = Object.entries(fields).flatMap(([name, field]) =>
    isObject(field) && Object.hasOwn(field, 'default') ? [[name, field.default] as const] : [],
  )
  return {
    complete(content) {
      const missing = defaults.filter(([name]) => !Object.hasOwn(content, name))
      // Object.fromEntries and spread define members, so that a field called `__proto__` is one like any other.
      const filled: JsonObject = { ...content, ...Object.fromEntries(missing) }
      const stranger = Object.keys(filled).find((name) => !Object.hasOwn(fields, name))
      const problem = stranger === undefined ? schema.validate(filled)?.text : `it has no field "${shown(stranger)}"`
      if (problem === undefined) return filled
      throw new McpError('internal.error', `Cannot send the answer to a form: ${problem}`)
    },
  }
}

function compile(schema: JsonObject): CompiledJsonSchema {
  try {
    return compileJsonSchema(schema, { assertFormats: true })
  } catch (error) {
    if (!(error instanceof JsonSchemaError)) throw error
    const message = `Cannot answer "elicitation/create": its form cannot be read: ${error.message}`
    throw new McpError('caller.invalid_params', message, { cause: error })
  }
}
