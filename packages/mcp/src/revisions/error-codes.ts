import { INTERNAL_ERROR, INVALID_PARAMS } from '../jsonrpc/codes.ts'
import type { JsonObject, RpcError } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'

/**
 * Error codes between the vocabularies (PROTOCOL §15.5). A code that means nothing in the newest one travels inside
 * `data.upstream` of an internal error, so that an older client still gets the code its server sent.
 */

const RESOURCE_NOT_FOUND = -32002
const URL_ELICITATION_REQUIRED = -32042

/** What any peer may send and nobody may pass on: codes the newest revision gives no meaning or keeps for later. */
export function readError(error: RpcError): RpcError {
  const known = error.code <= -32020 && error.code >= -32022
  return isServerError(error.code) && !known ? carried(INTERNAL_ERROR, error) : error
}

/** What a handler raised in words of an older revision, or with a code that is not its to use, is carried too. */
export function writeError(error: RpcError, method: string): RpcError {
  return error.code === RESOURCE_NOT_FOUND ? toNewerError(error, method) : readError(error)
}

/** From a revision whose codes -32000 … -32099 were free for servers, but for the two it used itself. */
export function toNewerError(error: RpcError, method: string): RpcError {
  if (error.code !== RESOURCE_NOT_FOUND || !method.startsWith('resources/')) {
    return isServerError(error.code) ? carried(INTERNAL_ERROR, error) : error
  }
  const named = isObject(error.data) && typeof error.data.uri === 'string'
  return named ? { ...error, code: INVALID_PARAMS } : carried(INVALID_PARAMS, error)
}

export function toOlderError(error: RpcError, method: string): RpcError {
  const { code, data } = error
  if (isObject(data)) {
    if (isObject(data.upstream) && isRestorable(data.upstream.code)) return restored(error, data.upstream)
    const unknownResource = code === INVALID_PARAMS && method === 'resources/read' && typeof data.uri === 'string'
    if (unknownResource) return { ...error, code: RESOURCE_NOT_FOUND }
  }
  // Codes this revision does not know mean nothing to its clients; the text and the data stay readable.
  return code <= -32020 && code >= -32099 && code !== URL_ELICITATION_REQUIRED
    ? { ...error, code: INTERNAL_ERROR }
    : error
}

/** Before elicitation by URL: the addresses are of no use, and a model might read them out. */
export function withoutUrlElicitation(error: RpcError): RpcError {
  return error.code === URL_ELICITATION_REQUIRED ? { code: INTERNAL_ERROR, message: error.message } : error
}

function carried(code: number, { data, ...error }: RpcError): RpcError {
  const upstream = data === undefined ? error : { ...error, data }
  return { code, message: error.message, data: { upstream } }
}

function restored({ message }: RpcError, { code, data }: JsonObject): RpcError {
  const error = { code: code as number, message } // checked by isRestorable
  return data === undefined ? error : { ...error, data }
}

function isRestorable(code: unknown): boolean {
  return typeof code === 'number' && ((code <= -32000 && code >= -32019) || code === URL_ELICITATION_REQUIRED)
}

/** JSON-RPC 2.0 §5.1: reserved for implementation-defined server errors. */
function isServerError(code: number): boolean {
  return code <= -32000 && code >= -32099
}
