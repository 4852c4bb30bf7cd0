import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from './opened.ts'

/**
 * The content of an accepted form: fields the person left out get the default of the form (SEP-1034), and what the
 * server could not accept is not sent.
 * @throws {McpError} `internal.error` where the handler's content does not fit the form
 */
export function completeForm(schema: JsonObject, content: JsonObject): JsonObject {
  const fields = isObject(schema.properties) ? schema.properties : {}
  const defaults = Object.entries(fields).flatMap(([name, field]) =>
    isObject(field) && Object.hasOwn(field, 'default') && !Object.hasOwn(content, name) ? [[name, field.default]] : [],
  )
  // Object.fromEntries and spread define members, so that a field called `__proto__` is one like any other.
  const filled: JsonObject = { ...content, ...Object.fromEntries(defaults) }
  const problem = problemOf(schema, fields, filled)
  if (problem !== undefined) throw new McpError('internal.error', `Cannot send the answer to a form: ${problem}`)
  return filled
}

function problemOf(schema: JsonObject, fields: JsonObject, content: JsonObject): string | undefined {
  const required = Array.isArray(schema.required) ? schema.required : []
  for (const name of required) {
    if (typeof name === 'string' && !Object.hasOwn(content, name)) return `"${name}" is required`
  }
  for (const [name, value] of Object.entries(content)) {
    if (!Object.hasOwn(fields, name)) return `the form has no field "${name}"`
    const field = fields[name]
    const problem = isObject(field) ? problemOfField(field, value) : undefined
    if (problem !== undefined) return `"${name}" ${problem}`
  }
  return undefined
}

/** The few kinds of field there are (2025-11-25 client/elicitation: requested schema). */
function problemOfField(field: JsonObject, value: unknown): string | undefined {
  switch (field.type) {
    case 'string':
      return problemOfText(field, value)
    case 'number':
    case 'integer':
      return problemOfNumber(field, value)
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'is not true or false'
    case 'array':
      return problemOfChoices(field, value)
    default:
      return undefined
  }
}

function problemOfText(field: JsonObject, value: unknown): string | undefined {
  if (typeof value !== 'string') return 'is not a text'
  const { minLength, maxLength, format } = field
  const length = typeof minLength === 'number' || typeof maxLength === 'number' ? [...value].length : 0
  if (typeof minLength === 'number' && length < minLength) return `is shorter than ${minLength}`
  if (typeof maxLength === 'number' && length > maxLength) return `is longer than ${maxLength}`
  const choices = toChoices(field)
  if (choices !== undefined && !choices.includes(value)) return 'is none of the choices'
  return FORMATS.get(format)?.(value) === false ? `is not a ${String(format)}` : undefined
}

function problemOfNumber({ type, minimum, maximum }: JsonObject, value: unknown): string | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return 'is not a number'
  if (type === 'integer' && !Number.isInteger(value)) return 'is not a whole number'
  if (typeof minimum === 'number' && value < minimum) return `is less than ${minimum}`
  if (typeof maximum === 'number' && value > maximum) return `is more than ${maximum}`
  return undefined
}

function problemOfChoices({ items, minItems, maxItems }: JsonObject, value: unknown): string | undefined {
  if (!Array.isArray(value)) return 'is not a list'
  if (typeof minItems === 'number' && value.length < minItems) return `has fewer than ${minItems} choices`
  if (typeof maxItems === 'number' && value.length > maxItems) return `has more than ${maxItems} choices`
  const choices = isObject(items) ? toChoices(items) : undefined
  return choices === undefined || value.every((item) => choices.includes(item)) ? undefined : 'is none of the choices'
}

/** Plain choices are an `enum`, titled ones constants of `oneOf`, or of `anyOf` where several may be taken. */
function toChoices({ enum: plain, oneOf, anyOf }: JsonObject): readonly unknown[] | undefined {
  if (Array.isArray(plain)) return plain
  const titled = oneOf ?? anyOf
  return Array.isArray(titled) ? titled.filter(isObject).map((choice) => choice.const) : undefined
}

const FORMATS: ReadonlyMap<unknown, (text: string) => boolean> = new Map([
  ['email', (text) => /^[^\s@]+@[^\s@]+$/.test(text)],
  ['uri', (text) => URL.canParse(text)],
  ['date', (text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))],
  ['date-time', (text) => /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}/.test(text) && !Number.isNaN(Date.parse(text))],
])
