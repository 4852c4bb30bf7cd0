import { isSecretText, type Redaction } from './redaction.ts'
import { quote } from './text.ts'

/**
 * The shape of arguments as JSON text: names, types and sizes, never a value. Of a member that is redacted, its type
 * only: how long a password is says something of it.
 */
export function toShape(value: unknown, redaction: Redaction | undefined): string {
  return writeShape(value, redaction, 0)
}

function writeShape(value: unknown, redaction: Redaction | undefined, depth: number): string {
  if (typeof value === 'string') return redaction === undefined ? '"string"' : `"string(${value.length})"`
  if (typeof value !== 'object') return `"${typeof value}"`
  if (value === null) return '"null"'
  if (Array.isArray(value)) return redaction === undefined ? '"array"' : `"array(${value.length})"`
  if (redaction === undefined) return '"object"'
  if (depth === MAX_DEPTH) return `"object(${Object.keys(value).length})"`
  return writeMembers(value, redaction, depth)
}

function writeMembers(value: object, redaction: Redaction, depth: number): string {
  let text = '{'
  let written = 0
  for (const [name, inner] of Object.entries(value)) {
    if (written === MAX_MEMBERS) return `${text},"…":"object(${Object.keys(value).length})"}`
    text += `${written++ === 0 ? '' : ','}${quote(name, MAX_NAME)}:${writeShape(inner, redaction.into(name), depth + 1)}`
  }
  return `${text}}`
}

/**
 * Arguments as JSON text, with what is redacted replaced.
 * @returns undefined where that would be longer than `maxLength` characters
 */
export function toContent(value: object, redaction: Redaction, maxLength: number): string | undefined {
  const text = JSON.stringify(redacted(value, redaction))
  return text.length > maxLength ? undefined : text.replace(UNSEEN, toEscape)
}

function redacted(value: unknown, redaction: Redaction | undefined): unknown {
  if (redaction === undefined) return REDACTED
  if (typeof value === 'string') return isSecretText(value) ? REDACTED : value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const inside = redaction.into('*')
    return value.map((item) => redacted(item, inside))
  }
  const copy: Record<string, unknown> = Object.create(null) // names are a peer's
  for (const [name, inner] of Object.entries(value)) copy[name] = redacted(inner, redaction.into(name))
  return copy
}

/** As JSON may write any character. */
function toEscape(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}

/** What would change how the rest of a line looks, and JSON does not escape by itself. */
const UNSEEN = /[\u007f-\u009f\u2028\u2029\p{Cf}]/gu
const REDACTED = '[redacted]'
const MAX_DEPTH = 4
const MAX_MEMBERS = 64
const MAX_NAME = 64
