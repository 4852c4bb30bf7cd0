import { compileJsonSchema } from '../json-schema/index.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { isOldZod, isStandardSchema, type StandardSchema, toIssueText } from './standard-schema.ts'

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
 * @param option by which an author gives that
 * @throws {Error} when there is no JSON Schema to list, or a plain one that cannot be used
 */
export function compileSchema(
  schema: Schema,
  side: 'input' | 'output',
  listed?: JsonObject,
  option = `${side}Schema`,
): CompiledSchema {
  if (isOldZod(schema)) throw new Error('it is of a Zod that is too old to be listed; use Zod 4.2 or later')
  if (!isStandardSchema(schema))
    return { json: schema, check: side === 'input' ? checkedBy(schema) : checkedAsSent(schema) }
  const standard = schema['~standard']
  const json = listed ?? standard.jsonSchema?.[side]({ target: 'draft-2020-12' })
  if (json === undefined) {
    const newer = standard.vendor === 'zod' ? ', or use Zod 4.2 or later' : ''
    throw new Error(`The ${standard.vendor} schema offers no JSON Schema; give one as "${option}"${newer}`)
  }
  return { json, check: (value) => settle(standard.validate(value)) }
}

function settle(found: ReturnType<StandardSchema['~standard']['validate']>): Checked | Promise<Checked> {
  if (found instanceof Promise) return found.then((late) => settle(late))
  return found.issues === undefined ? { value: found.value } : { fault: toIssueText(found.issues) }
}

function checkedBy(schema: JsonObject): (value: unknown) => Checked {
  const { validate } = compileJsonSchema(schema)
  return (value) => {
    const fault = validate(value)
    return fault === undefined ? { value } : { fault: fault.text }
  }
}

/** What a handler returns may hold a Date or the like, which conforms as what it is sent as. */
function checkedAsSent(schema: JsonObject): CompiledSchema['check'] {
  const check = checkedBy(schema)
  return (value) => {
    const checked = check(value)
    if (!('fault' in checked)) return checked
    const sent = toSent(value)
    return sent === undefined || 'fault' in check(sent) ? checked : { value: sent }
  }
}

function toSent(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value))
  } catch {
    // It cannot be sent at all; the fault that was found says more.
    return undefined
  }
}
