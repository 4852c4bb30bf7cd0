import { PARSE_ERROR } from './codes.ts'
import { checkSurrogates, checkWritten, FrameFault, refusal, toDepthFault } from './fault.ts'
import { type Frame, type Id, type JsonObject, NO_PARAMS, type RpcError } from './frame.ts'
import type { FrameLimits } from './limits.ts'
import { shown } from './shown.ts'

export { FrameFault } from './fault.ts'

/**
 * Reads one message: a frame, or the members of a batch. Size is the transport's to check, before it has text.
 * @param text decoded from UTF-8, so that only an escape can stand for half a surrogate pair
 * @throws {FrameFault} -32700 for text that is not JSON, -32600 for JSON that is not a frame or breaks a limit,
 *   -32602 for a number that could not be passed on unchanged.
 */
export function parseMessage(text: string, limits: FrameLimits): Frame | readonly Frame[] {
  const value = parseText(text, limits)
  if (!Array.isArray(value)) return toFrame(value, text)
  if (value.length === 0) throw refusal('an empty batch', value, text)
  if (value.length > limits.maxBatch) {
    throw refusal(`a batch of ${value.length} messages; at most ${limits.maxBatch} work`, value, text)
  }
  return value.map((member) => toFrame(member, ''))
}

/** A value within the limits of what is read from a peer; throws as {@link parseMessage} does. */
export function parseText(text: string, limits: FrameLimits): unknown {
  const written = scan(text, limits.maxDepth)
  if (written.tooDeep) throw toDepthFault(text, limits)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new FrameFault(PARSE_ERROR, 'Cannot read the message: it is not valid JSON')
  }
  if (written.hasSurrogates) checkSurrogates(text, value)
  // Not equal: a key was lost, or a number may have changed, which makes the count NaN.
  if (written.members !== countKept(value)) checkWritten(text, limits)
  return value
}

/** @param text what the value was read from, or nothing for a member of a batch */
function toFrame(value: unknown, text: string): Frame {
  if (!isObject(value)) throw refusal('a message that is not a JSON object', value, text)
  if (value.jsonrpc !== '2.0') throw refusal('a message without "jsonrpc": "2.0"', value, text)
  const hasId = Object.hasOwn(value, 'id')
  if (hasId && !isId(value.id) && !(value.id === null && Object.hasOwn(value, 'error'))) {
    throw refusal(
      `an id that is neither a string of at most ${MAX_ID} characters nor an integer within ±(2^53 - 1)`,
      value,
      text,
    )
  }
  return Object.hasOwn(value, 'method') ? toCall(value, hasId, text) : toReply(value, text)
}

function toCall(value: JsonObject, hasId: boolean, text: string): Frame {
  const { method, params } = value
  if (typeof method !== 'string' || method === '') {
    throw refusal('a message whose method is not a string', value, text)
  }
  if (Object.hasOwn(value, 'result') || Object.hasOwn(value, 'error')) {
    throw refusal('a message that is both a request and a response', value, text)
  }
  if (params !== undefined && !isObject(params)) {
    throw refusal(`"${shown(method)}": its params are not an object`, value, text)
  }
  if (!hasId) return { kind: 'notification', method, params: params ?? NO_PARAMS }
  return { kind: 'request', id: value.id as Id, method, params: params ?? NO_PARAMS } // checked by isId in toFrame
}

function toReply(value: JsonObject, text: string): Frame {
  const { id, result, error } = value
  const hasResult = Object.hasOwn(value, 'result')
  if (hasResult === Object.hasOwn(value, 'error')) {
    throw refusal('a message that is neither a call nor exactly one of result and error', value, text)
  }
  if (!hasResult) {
    if (!isRpcError(error)) throw refusal('an error without an integer code and a message', value, text)
    return { kind: 'error', id: isId(id) ? id : undefined, error }
  }
  if (!isId(id)) throw refusal('a result without an id', value, text)
  if (!isObject(result)) throw refusal('a result that is not an object', value, text)
  return { kind: 'result', id, result }
}

function isRpcError(error: unknown): error is RpcError {
  return isObject(error) && Number.isInteger(error.code) && typeof error.message === 'string'
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What is echoed with every answer, and kept until then, is not for its sender to choose without bounds. */
function isId(value: unknown): value is Id {
  return typeof value === 'string' ? value.length <= MAX_ID : Number.isSafeInteger(value)
}

/** JSON text as it is written, before anything is built from it. */
export interface Written {
  readonly tooDeep: boolean
  /** Members of all objects, those named twice included. */
  readonly members: number
  /** Some escape stands for half of a surrogate pair, with the other half or without. */
  readonly hasSurrogates: boolean
}

/**
 * Reads JSON text once, left to right, without building anything. Syntax errors are left for `JSON.parse` to find.
 * Linear in the length of the text; the inside of long strings is searched rather than read.
 */
export function scan(text: string, maxDepth: number): Written {
  const length = text.length
  let depth = 0
  let members = 0
  let hasSurrogates = false
  // Where the next ones are, or were when they were last looked for: each stretch of text is searched once.
  let quote = -1
  let backslash = -1
  for (let i = 0; i < length; i++) {
    const c = text.charCodeAt(i)
    if (c === COLON) members++
    else if (c > COLON) {
      // "[" and "{", "]" and "}" differ in one bit.
      const bracket = c | 0x20
      if (bracket === OPEN_BRACE) {
        if (++depth > maxDepth) return { tooDeep: true, members, hasSurrogates }
      } else if (bracket === CLOSE_BRACE) depth--
    } else if (c === QUOTE) {
      i++
      while (i < length) {
        // Most strings are short: a few characters are looked at before a search is paid for.
        const near = Math.min(i + NEAR, length)
        let s = 0
        while (i < near) {
          s = text.charCodeAt(i)
          if (s === QUOTE || s === BACKSLASH) break
          i++
        }
        if (i === near) {
          if (quote < i) quote = text.indexOf('"', i)
          if (quote === -1) return { tooDeep: false, members, hasSurrogates } // a string without end
          if (backslash < i) backslash = text.indexOf('\\', i)
          if (backslash === -1) backslash = length
          i = Math.min(quote, backslash)
          s = text.charCodeAt(i)
        }
        if (s === QUOTE) break
        // An escape; those from \ud800 to \udfff are halves of pairs.
        if (text.charCodeAt(i + 1) === LOWER_U && (text.charCodeAt(i + 2) | 0x20) === LOWER_D) {
          if (text.charCodeAt(i + 3) > SEVEN) hasSurrogates = true
        }
        i += 2
      }
    }
  }
  return { tooDeep: false, members, hasSurrogates }
}

/**
 * How many members the objects of a parsed value have. Fewer than were written means that one was named twice:
 * parsers disagree on which of the two counts, and `JSON.parse` says nothing.
 * @returns NaN where a number may have changed in reading: an integer beyond 2^53 - 1, overflow to infinity, and
 *   negative zero, which is written without its sign
 */
export function countKept(value: unknown): number {
  if (typeof value === 'number') {
    const isAsWritten =
      value === 0 ? 1 / value > 0 : value <= Number.MAX_SAFE_INTEGER && value >= -Number.MAX_SAFE_INTEGER
    return isAsWritten ? 0 : Number.NaN
  }
  if (typeof value !== 'object' || value === null) return 0
  let members = 0
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i]
      if (typeof item === 'object' || typeof item === 'number') members += countKept(item)
    }
    return members
  }
  for (const key in value) {
    members++
    const item: unknown = (value as { [key: string]: unknown })[key] // any object can be asked for any key
    if (typeof item === 'object' || typeof item === 'number') members += countKept(item)
  }
  return members
}

const MAX_ID = 1_024
/** Characters of a string that are read before the rest is searched. */
const NEAR = 16
const QUOTE = 0x22
const SEVEN = 0x37
const COLON = 0x3a
const BACKSLASH = 0x5c
const LOWER_D = 0x64
const LOWER_U = 0x75
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
