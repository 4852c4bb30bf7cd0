import type { JsonObject } from '../../jsonrpc/frame.ts'
import { isObject } from '../../jsonrpc/members.ts'
import { type CompiledSchema, compileSchema, type Schema } from '../schema.ts'
import { malformed } from './answers.ts'
import { UnsuitedForm } from './errors.ts'
import { checkField, toField } from './fields.ts'

/** A schema as a form shows it, and as its answers are read. */
export interface Form {
  /** The restricted schema of `elicitation/create`: one flat object. */
  readonly requestedSchema: JsonObject
  /**
   * Gives the content as the schema parses it, without members that are no fields.
   * @throws {McpError} `caller.invalid_params` for content that the schema does not allow
   */
  readonly parse: (content: JsonObject) => Promise<unknown>
}

/**
 * Makes a form of any schema that can be one: an object of strings, numbers, booleans, choices and lists of choices.
 * @param listed the JSON Schema of a Standard Schema that offers none of its own
 * @throws {UnsuitedForm} that names the field which no form can have
 */
export function toForm(schema: Schema, listed?: JsonObject): Form {
  const known = listed === undefined ? forms.get(schema) : undefined
  if (known !== undefined) return known
  const { json, check } = compile(schema, listed)
  const { type, properties } = json
  if (type !== 'object' || !isObject(properties)) {
    throw new UnsuitedForm('Cannot ask with this schema: a form is an object ("type": "object") with "properties"')
  }
  const fields = Object.entries(properties).map(([name, field]) => [name, toField(name, field)] as const)
  const required = Array.isArray(json.required) ? json.required.filter((name) => Object.hasOwn(properties, name)) : []
  const requestedSchema: JsonObject = {
    type: 'object',
    ...(typeof json.title === 'string' ? { title: json.title } : {}),
    ...(typeof json.description === 'string' ? { description: json.description } : {}),
    properties: Object.fromEntries(fields),
    ...(required.length === 0 ? {} : { required }),
  }
  const form: Form = {
    requestedSchema,
    async parse(content) {
      const checked = await check(toContent(fields, required, content))
      if ('fault' in checked) throw malformed('a form', checked.fault)
      return checked.value
    },
  }
  if (listed === undefined) forms.set(schema, form)
  return form
}

/** What is wrong with a schema is for its author, not for who is asked. */
function compile(schema: Schema, listed: JsonObject | undefined): CompiledSchema {
  try {
    return compileSchema(schema, 'input', listed, 'jsonSchema')
  } catch (error) {
    if (!(error instanceof Error)) throw error
    throw new UnsuitedForm(`Cannot ask with this schema: ${error.message}`, { cause: error })
  }
}

/** The members that are fields, each of them as its field allows. */
function toContent(
  fields: readonly (readonly [string, JsonObject])[],
  required: readonly unknown[],
  content: JsonObject,
): JsonObject {
  const members: [string, unknown][] = []
  for (const [name, field] of fields) {
    const value = Object.hasOwn(content, name) ? content[name] : undefined
    if (value === undefined || value === null) {
      if (required.includes(name)) throw malformed('a form', `"${name}" is missing`)
      continue
    }
    const fault = checkField(field, value)
    if (fault !== undefined) throw malformed('a form', `"${name}" ${fault}`)
    members.push([name, value])
  }
  return Object.fromEntries(members)
}

/** Schemas are made once and asked with often. */
const forms = new WeakMap<object, Form>()
