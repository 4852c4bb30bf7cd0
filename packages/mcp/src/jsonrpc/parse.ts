import { INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR } from './codes.ts'
import { type Frame, type Id, type JsonObject, NO_PARAMS, type RpcError } from './frame.ts'
import type { FrameLimits } from './limits.ts'
import { type Located, locate } from './locate.ts'
import { countKept, hasLoneSurrogate, scan } from './scan.ts'
import { shown } from './shown.ts'

/** A message that is not a JSON-RPC frame we accept. `idText` is the id as written, where one could be read. */
export class FrameFault extends Error {
  readonly rpcCode: number
  readonly idText: string | undefined

  constructor(rpcCode: number, message: string, idText?: string) {
    super(message)
    this.name = 'FrameFault'
    this.rpcCode = rpcCode
    this.idText = idText
  }
}

/**
 * Reads one message: a frame, or the members of a batch. Size is the transport's to check, before it has text.
 * @param text decoded from UTF-8, so that only an escape can stand for half a surrogate pair
 * @throws {FrameFault} -32700 for text that is not JSON, -32600 for JSON that is not a frame or breaks a limit,
 *   -32602 for a number that could not be passed on unchanged.
 */
export function parseMessage(text: string, limits: FrameLimits): Frame | readonly Frame[] {
  const written = scan(text, limits.maxDepth)
  if (written.tooDeep) {
    const reason = `Cannot read a message nested deeper than ${limits.maxDepth} levels`
    throw new FrameFault(INVALID_REQUEST, reason, toIdText(locate(text, limits.maxDepth).idText))
  }
  const value = parseJson(text)
  if (written.hasSurrogates && hasLoneSurrogate(text)) {
    throw new FrameFault(PARSE_ERROR, 'Cannot read a string that holds half a surrogate pair', knownId(value, text))
  }
  // Not equal: a key was lost, or a number may have changed, which makes the count NaN.
  if (written.members !== countKept(value)) checkWritten(locate(text, limits.maxDepth), limits)
  if (!Array.isArray(value)) return toFrame(value, text)
  if (value.length === 0) throw new FrameFault(INVALID_REQUEST, 'Cannot read an empty batch')
  if (value.length > limits.maxBatch) {
    throw new FrameFault(
      INVALID_REQUEST,
      `Cannot read a batch of ${value.length} messages; at most ${limits.maxBatch} work`,
    )
  }
  return value.map((member) => toFrame(member, ''))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new FrameFault(PARSE_ERROR, 'Cannot read the message: it is not valid JSON')
  }
}

function checkWritten({ duplicateKey, inexactNumber, idText }: Located, limits: FrameLimits): void {
  if (duplicateKey !== undefined && limits.duplicateKeys === 'reject') {
    throw new FrameFault(
      INVALID_REQUEST,
      `Cannot read an object that names the key "${shown(duplicateKey)}" twice`,
      toIdText(idText),
    )
  }
  if (inexactNumber !== undefined && limits.inexactNumbers === 'reject') {
    throw new FrameFault(
      INVALID_PARAMS,
      `Cannot pass on the number ${shown(inexactNumber)} unchanged; send it as a string, or within ±(2^53 - 1)`,
      toIdText(idText),
    )
  }
}

/** @param text what the value was read from, or nothing for a member of a batch */
function toFrame(value: unknown, text: string): Frame {
  if (!isObject(value)) throw refusal('a message that is not a JSON object', value, text)
  if (value.jsonrpc !== '2.0') throw refusal('a message without "jsonrpc": "2.0"', value, text)
  const hasId = Object.hasOwn(value, 'id')
  if (hasId && !isId(value.id) && !(value.id === null && Object.hasOwn(value, 'error'))) {
    throw refusal('an id that is neither a string nor an integer within ±(2^53 - 1)', value, text)
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

function refusal(what: string, value: unknown, text: string): FrameFault {
  return new FrameFault(INVALID_REQUEST, `Cannot read ${what}`, knownId(value, text))
}

/** The id of a message that cannot be accepted, as it goes into the answer that says so. */
function knownId(value: unknown, text: string): string | undefined {
  if (!isObject(value)) return undefined
  if (isId(value.id) && !Object.is(value.id, -0)) return JSON.stringify(value.id)
  // A number that has changed in reading is found as it was written.
  return typeof value.id === 'number' ? toIdText(locate(text, 1).idText) : undefined
}

function toIdText(written: string | undefined): string | undefined {
  if (written === undefined || INTEGER.test(written)) return written
  try {
    return typeof JSON.parse(written) === 'string' ? written : undefined
  } catch {
    return undefined // cut off or malformed: there is no id to echo
  }
}

const INTEGER = /^-?(?:0|[1-9]\d*)$/

function isRpcError(error: unknown): error is RpcError {
  return isObject(error) && Number.isInteger(error.code) && typeof error.message === 'string'
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isId(value: unknown): value is Id {
  return typeof value === 'string' || Number.isSafeInteger(value)
}
