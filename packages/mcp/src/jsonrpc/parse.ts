import { INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR } from './codes.ts'
import { type Frame, type Id, type JsonObject, NO_PARAMS, type RpcError } from './frame.ts'
import type { FrameLimits } from './limits.ts'
import { type Scan, scan } from './scan.ts'
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
 * @throws {FrameFault} -32700 for text that is not JSON, -32600 for JSON that is not a frame or breaks a limit,
 *   -32602 for a number that could not be passed on unchanged.
 */
export function parseMessage(text: string, limits: FrameLimits): Frame | readonly Frame[] {
  const found = scan(text, limits)
  if (found.tooDeep) {
    throw new FrameFault(INVALID_REQUEST, `Cannot read a message nested deeper than ${limits.maxDepth} levels`)
  }
  const value = parseJson(text)
  checkScan(found, limits)
  if (!Array.isArray(value)) return toFrame(value, found.idText)
  if (value.length === 0) throw new FrameFault(INVALID_REQUEST, 'Cannot read an empty batch')
  if (value.length > limits.maxBatch) {
    throw new FrameFault(
      INVALID_REQUEST,
      `Cannot read a batch of ${value.length} messages; at most ${limits.maxBatch} work`,
    )
  }
  return value.map((member) => toFrame(member, undefined))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new FrameFault(PARSE_ERROR, 'Cannot read the message: it is not valid JSON')
  }
}

function checkScan(found: Scan, limits: FrameLimits): void {
  const id = isIdText(found.idText) ? found.idText : undefined
  if (found.loneSurrogate)
    throw new FrameFault(PARSE_ERROR, 'Cannot read a string that holds half a surrogate pair', id)
  if (found.duplicateKey !== undefined && limits.duplicateKeys === 'reject') {
    throw new FrameFault(
      INVALID_REQUEST,
      `Cannot read an object that names the key "${shown(found.duplicateKey)}" twice`,
      id,
    )
  }
  if (found.inexactNumber !== undefined && limits.inexactNumbers === 'reject') {
    throw new FrameFault(
      INVALID_PARAMS,
      `Cannot pass on the number ${shown(found.inexactNumber)} unchanged; send it as a string, or within ±(2^53 - 1)`,
      id,
    )
  }
}

function toFrame(value: unknown, idText: string | undefined): Frame {
  if (!isObject(value)) throw new FrameFault(INVALID_REQUEST, 'Cannot read a message that is not a JSON object')
  const known = isIdText(idText) ? idText : isId(value.id) ? JSON.stringify(value.id) : undefined
  if (value.jsonrpc !== '2.0')
    throw new FrameFault(INVALID_REQUEST, 'Cannot read a message without "jsonrpc": "2.0"', known)
  const hasId = Object.hasOwn(value, 'id')
  if (hasId && !isId(value.id) && !(value.id === null && Object.hasOwn(value, 'error'))) {
    throw new FrameFault(INVALID_REQUEST, 'Cannot read an id that is neither a string nor an integer')
  }
  if (Object.hasOwn(value, 'method')) return toCall(value, hasId, known)
  return toReply(value, known)
}

function toCall(value: JsonObject, hasId: boolean, idText: string | undefined): Frame {
  const { method, params } = value
  if (typeof method !== 'string' || method === '') {
    throw new FrameFault(INVALID_REQUEST, 'Cannot read a message whose method is not a string', idText)
  }
  if (Object.hasOwn(value, 'result') || Object.hasOwn(value, 'error')) {
    throw new FrameFault(INVALID_REQUEST, 'Cannot read a message that is both a request and a response', idText)
  }
  if (params !== undefined && !isObject(params)) {
    throw new FrameFault(INVALID_REQUEST, `Cannot read "${shown(method)}": its params are not an object`, idText)
  }
  if (!hasId) return { kind: 'notification', method, params: params ?? NO_PARAMS }
  return { kind: 'request', id: value.id as Id, method, params: params ?? NO_PARAMS } // checked by isId in toFrame
}

function toReply(value: JsonObject, idText: string | undefined): Frame {
  const { id, result, error } = value
  const hasResult = Object.hasOwn(value, 'result')
  if (hasResult === Object.hasOwn(value, 'error')) {
    throw new FrameFault(
      INVALID_REQUEST,
      'Cannot read a message that is neither a call nor exactly one of result and error',
      idText,
    )
  }
  if (!hasResult) return { kind: 'error', id: isId(id) ? id : undefined, error: toRpcError(error, idText) }
  if (!isId(id)) throw new FrameFault(INVALID_REQUEST, 'Cannot read a result without an id')
  if (!isObject(result)) throw new FrameFault(INVALID_REQUEST, 'Cannot read a result that is not an object', idText)
  return { kind: 'result', id, result }
}

function toRpcError(error: unknown, idText: string | undefined): RpcError {
  if (!isObject(error) || !Number.isInteger(error.code) || typeof error.message !== 'string') {
    throw new FrameFault(INVALID_REQUEST, 'Cannot read an error without an integer code and a message', idText)
  }
  return error as unknown as RpcError // code and message were checked on the line above
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isId(value: unknown): value is Id {
  return typeof value === 'string' || (typeof value === 'number' && Number.isInteger(value))
}

function isIdText(text: string | undefined): text is string {
  return text !== undefined && (text.startsWith('"') || /^-?\d+$/.test(text))
}
