import { shown } from '../jsonrpc/shown.ts'

/**
 * What an author returned and JSON does not have, in a sentence that says where it is: `JSON.stringify` makes `{}` of a
 * Map or a Promise, and an object of a list of bytes, without a word, and of the rest an error that does not say where.
 * It goes through the whole value: what is asked for often asks only when its text looks like that.
 * @param sending what is being sent, as part of the sentence
 * @returns undefined where nothing of the kind is found, among the first 10,000 values and not deeper than 100
 */
export function findUnsendable(value: unknown, sending = 'what a tool returned'): string | undefined {
  const fault = findIn(value, '', new Set(), { left: MAX_VALUES })
  return fault === undefined ? undefined : `Cannot send ${sending}: ${fault}`
}

function findIn(value: unknown, path: string, above: Set<object>, budget: { left: number }): string | undefined {
  if (budget.left-- <= 0 || above.size > MAX_DEPTH) return undefined
  const name = toKind(value)
  if (name !== undefined) return toSentence(name, path)
  if (typeof value !== 'object' || value === null || hasToJson(value)) return undefined
  if (above.has(value)) return `it has itself in it${toPlace(path)}`
  above.add(value)
  for (const [key, member] of Object.entries(value)) {
    // JSON leaves these out of objects, and optional members are written so.
    if (member === undefined || typeof member === 'function' || typeof member === 'symbol') continue
    const found = findIn(member, `${path}${Array.isArray(value) ? `[${key}]` : `.${key}`}`, above, budget)
    if (found !== undefined) return found
  }
  above.delete(value)
  return undefined
}

/** The name of what JSON does not have; undefined for what it has. */
function toKind(value: unknown): string | undefined {
  if (typeof value === 'bigint') return 'BigInt'
  if (typeof value === 'function' || typeof value === 'symbol') return typeof value
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  if (ArrayBuffer.isView(value)) return toTag(value)
  if (hasToJson(value)) return undefined
  if (Object.keys(value).length > 0) return undefined
  const kind = toTag(value)
  return PLAIN.has(kind) ? undefined : kind
}

function toTag(value: object): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1)
}

function hasToJson(value: object): boolean {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function'
}

function toSentence(kind: string, path: string): string {
  const remedy = Object.hasOwn(REMEDIES, kind)
    ? REMEDIES[kind]
    : kind.endsWith('Array')
      ? 'use [...list]'
      : 'return plain objects, lists, text and numbers'
  return `JSON has no ${shown(kind)}${path === '' ? '' : `, as${toPlace(path)}`}; ${remedy}`
}

function toPlace(path: string): string {
  return path === '' ? '' : ` at ${shown(path)}`
}

/** `new String('x')` and the like are sent as what is in them; objects of a class by their members, if they have any. */
const PLAIN: ReadonlySet<string> = new Set(['Object', 'Arguments', 'String', 'Number', 'Boolean'])
const REMEDIES: Readonly<Record<string, string>> = {
  Map: 'use Object.fromEntries(map)',
  Set: 'use [...set]',
  BigInt: 'use text, or Number(…) where it is small enough',
  Uint8Array: 'use base64 text, as in the "data" of an image block, or [...list]',
  Promise: 'await it',
  Error: 'throw it, or return its message',
  function: 'call it, or leave it out',
}
const MAX_VALUES = 10_000
const MAX_DEPTH = 100
