import type { JsonObject } from '../jsonrpc/frame.ts'
import { isStandardSchema, type StandardSchema, toIssueText } from './standard-schema.ts'

/** How a tool says what it takes and gives: any Standard Schema, or plain JSON Schema. */
export type Schema = JsonObject | StandardSchema

/** What a handler receives for a schema: the parsed type of a Standard Schema, an open object otherwise. */
export type Parsed<S> = S extends StandardSchema<infer _Input, infer Output> ? Output : JsonObject

/** Either the value, as the schema parsed it, or one line on what is wrong with it. */
export type Checked = { readonly value: unknown } | { readonly fault: string }

/** A schema as it is listed, and the check made from it, once. */
export interface CompiledSchema {
  readonly json: JsonObject
  readonly check: (value: unknown) => Checked | Promise<Checked>
}

/**
 * @param side which side of a schema that transforms is listed
 * @param listed the JSON Schema to list for a Standard Schema that offers none of its own
 * @throws {Error} when there is no JSON Schema to list
 */
export function compileSchema(schema: Schema, side: 'input' | 'output', listed?: JsonObject): CompiledSchema {
  if (!isStandardSchema(schema)) return { json: schema, check: side === 'input' ? requires(schema) : accept }
  const standard = schema['~standard']
  const json = listed ?? standard.jsonSchema?.[side]({ target: 'draft-2020-12' })
  if (json === undefined) {
    throw new Error(`The ${standard.vendor} schema offers no JSON Schema; give one as "${side}Schema"`)
  }
  return { json, check: (value) => settle(standard.validate(value)) }
}

function settle(found: ReturnType<StandardSchema['~standard']['validate']>): Checked | Promise<Checked> {
  if (found instanceof Promise) return found.then((late) => settle(late))
  return found.issues === undefined ? { value: found.value } : { fault: toIssueText(found.issues) }
}

/**
 * Plain JSON Schema: for now only that the required names are there. Types, patterns and the rest are the
 * handler's to check until the engine has a validator.
 */
function requires(schema: JsonObject): CompiledSchema['check'] {
  const { required } = schema
  const names = Array.isArray(required) ? required.filter((name): name is string => typeof name === 'string') : []
  if (names.length === 0) return accept
  return (value) => {
    const missing = names.filter((name) => !Object.hasOwn(value as object, name)) // the caller checked that it is an object
    if (missing.length === 0) return { value }
    return { fault: `missing ${missing.map((name) => `"${name}"`).join(' and ')}` }
  }
}

function accept(value: unknown): Checked {
  return { value }
}
