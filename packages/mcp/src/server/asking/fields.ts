import type { JsonObject } from '../../jsonrpc/frame.ts'
import { isObject } from '../../jsonrpc/members.ts'
import { parseUrl } from '../../protocol/url.ts'
import { UnsuitedForm } from './errors.ts'

/**
 * The fields a form may have (2026-07-28 client/elicitation, PrimitiveSchemaDefinition): what a schema says beyond
 * them is left to the check of the answer.
 *
 * Answers are checked here by rules of our own, and not by the JSON Schema room as our client checks what it sends
 * (`client/form.ts`): a person typed them, into a form of somebody else's client. What such a client takes for a date
 * or an address is taken here too (`2026-02-01 10:00`, an address with letters of any script), which the formats of
 * RFC 3339 and RFC 5321 would refuse; null stands for a field left empty; and faults are said in words for people.
 * A handler still gets nothing that its own schema refuses. Sharing one table would make this side refuse answers of
 * real people, or the other send what strict servers refuse.
 */

/** @throws {UnsuitedForm} for a field that no form can have */
export function toField(name: string, schema: unknown): JsonObject {
  if (!isObject(schema)) throw unsuited(name, 'a schema without a type')
  if (isSecret(name, schema)) {
    throw new UnsuitedForm(
      `Cannot ask for "${name}" by a form: a secret is asked for on a page of yours, with elicitUrl`,
    )
  }
  const words = pick(schema, ['title', 'description', 'default'])
  const choices = toChoices(schema)
  if (choices !== undefined) return { type: 'string', ...words, ...choices }
  switch (schema.type) {
    case 'string':
      return { type: 'string', ...words, ...pick(schema, ['minLength', 'maxLength']), ...toFormat(schema.format) }
    case 'number':
    case 'integer':
      return { type: schema.type, ...words, ...toBounds(schema) }
    case 'boolean':
      return { type: 'boolean', ...words }
    case 'array':
      return { type: 'array', ...words, ...pick(schema, ['minItems', 'maxItems']), items: toItems(name, schema.items) }
  }
  throw unsuited(name, schema.type === undefined ? 'a schema without a type' : `of type ${JSON.stringify(schema.type)}`)
}

/**
 * A form passes through the client and its model (client/elicitation: servers MUST NOT request secrets by one). Only
 * what can mean nothing else is known as one; the rest is the author's to know.
 */
function isSecret(name: string, { format, writeOnly }: JsonObject): boolean {
  return format === 'password' || writeOnly === true || SECRETS.test(name.replace(/[^a-z]/gi, ''))
}

/** What is wrong with a value, as the end of a sentence; undefined for one the field allows. */
export function checkField(field: JsonObject, value: unknown): string | undefined {
  switch (field.type) {
    case 'string':
      return typeof value === 'string' ? checkText(field, value) : 'is not text'
    case 'number':
    case 'integer':
      return typeof value === 'number' ? checkNumber(field, value) : 'is not a number'
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'is not true or false'
    case 'array':
      return Array.isArray(value) ? checkList(field, value) : 'is not a list'
  }
  return undefined
}

function checkText(field: JsonObject, value: string): string | undefined {
  const allowed = toAllowed(field)
  if (allowed !== undefined) return allowed.includes(value) ? undefined : 'is none of the choices'
  const length = [...value].length
  if (typeof field.minLength === 'number' && length < field.minLength) return 'is too short'
  if (typeof field.maxLength === 'number' && length > field.maxLength) return 'is too long'
  const isFormed = typeof field.format === 'string' ? FORMATS[field.format] : undefined
  return isFormed === undefined || isFormed(value) ? undefined : `is no ${String(field.format)}`
}

function checkNumber(field: JsonObject, value: number): string | undefined {
  if (field.type === 'integer' && !Number.isInteger(value)) return 'is not a whole number'
  if (typeof field.minimum === 'number' && value < field.minimum) return 'is too small'
  if (typeof field.maximum === 'number' && value > field.maximum) return 'is too large'
  return undefined
}

function checkList(field: JsonObject, value: readonly unknown[]): string | undefined {
  const allowed = toAllowed(isObject(field.items) ? field.items : {})
  if (allowed !== undefined && !value.every((item) => allowed.includes(item))) return 'has what is none of the choices'
  if (new Set(value).size !== value.length) return 'has a choice twice'
  if (typeof field.minItems === 'number' && value.length < field.minItems) return 'has too few choices'
  if (typeof field.maxItems === 'number' && value.length > field.maxItems) return 'has too many choices'
  return undefined
}

function toAllowed(field: JsonObject): readonly unknown[] | undefined {
  if (Array.isArray(field.enum)) return field.enum
  const titled = field.oneOf ?? field.anyOf
  return Array.isArray(titled) ? titled.map((choice: JsonObject) => choice.const) : undefined
}

/** One of several texts: `enum`, a `const`, or a union of constants, each with a title or none. */
function toChoices(schema: JsonObject): JsonObject | undefined {
  if (Array.isArray(schema.enum)) {
    return schema.enum.every(isText) ? { enum: schema.enum, ...pick(schema, ['enumNames']) } : undefined
  }
  if (isText(schema.const)) return { enum: [schema.const] }
  const union = schema.oneOf ?? schema.anyOf
  return Array.isArray(union) ? toUnion(union, 'oneOf') : undefined
}

function toUnion(union: readonly unknown[], word: 'oneOf' | 'anyOf'): JsonObject | undefined {
  const constants = union.filter((choice): choice is JsonObject => isObject(choice) && isText(choice.const))
  if (constants.length === 0 || constants.length !== union.length) return undefined
  if (constants.every(({ title }) => title === undefined)) return { enum: constants.map((choice) => choice.const) }
  return { [word]: constants.map((choice) => ({ const: choice.const, title: choice.title ?? choice.const })) }
}

function toItems(name: string, items: unknown): JsonObject {
  if (isObject(items)) {
    const union = items.anyOf ?? items.oneOf
    const titled = Array.isArray(union) ? toUnion(union, 'anyOf') : undefined
    if (titled !== undefined) return titled.enum === undefined ? titled : { type: 'string', ...titled }
    if (Array.isArray(items.enum) && items.enum.every(isText)) return { type: 'string', enum: items.enum }
  }
  throw unsuited(name, 'a list of anything but choices')
}

function toFormat(format: unknown): JsonObject {
  return typeof format === 'string' && Object.hasOwn(FORMATS, format) ? { format } : {}
}

/** Libraries bound every whole number by what a double can hold, which is no wish of the author's. */
function toBounds({ minimum, maximum }: JsonObject): JsonObject {
  return {
    ...(typeof minimum === 'number' && minimum > Number.MIN_SAFE_INTEGER ? { minimum } : {}),
    ...(typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER ? { maximum } : {}),
  }
}

function pick(schema: JsonObject, members: readonly string[]): JsonObject {
  return Object.fromEntries(members.flatMap((name) => (schema[name] === undefined ? [] : [[name, schema[name]]])))
}

function unsuited(name: string, what: string): UnsuitedForm {
  return new UnsuitedForm(
    `Cannot ask for "${name}", ${what}: a form has text, numbers, true or false, choices and lists of choices. ` +
      'It is flat: ask for the parts of an object as fields of their own',
  )
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

/** Generous: who typed it corrects what is wrong, and a handler that must be sure checks for itself. */
const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  email: (text) => text.length <= 320 && /^[^\s@]+@[^\s@]+$/.test(text),
  uri: (text) => parseUrl(text) !== undefined,
  date: (text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)),
  'date-time': (text) => /^\d{4}-\d{2}-\d{2}[Tt ]/.test(text) && !Number.isNaN(Date.parse(text)),
}

const SECRETS =
  /^(?:new|old|current|user|client|my)?(?:password|passwd|passphrase|passcode|secret|clientsecret|apikey|secretkey|privatekey|(?:access|refresh|auth|bearer)token|(?:credit)?cardnumber|cvv|cvc)$/i
