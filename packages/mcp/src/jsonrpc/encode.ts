import type { Id, JsonObject, RpcError } from './frame.ts'

/** Each of these gives one message as JSON text without a line break, ready for any transport. */

export function encodeRequest(id: Id, method: string, params: JsonObject): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":${JSON.stringify(method)},"params":${JSON.stringify(params)}}`
}

export function encodeNotification(method: string, params: JsonObject): string {
  return `{"jsonrpc":"2.0","method":${JSON.stringify(method)},"params":${JSON.stringify(params)}}`
}

export function encodeResult(id: Id, result: JsonObject): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${JSON.stringify(result)}}`
}

/** `id` undefined leaves the member out (2025-11-25 and later allow that; HTTP carries the rest for older peers). */
export function encodeError(id: Id | undefined, error: RpcError): string {
  return encodeErrorFor(id === undefined ? undefined : JSON.stringify(id), error)
}

/** As {@link encodeError}, with the id as the peer wrote it, so that one we cannot represent is still echoed exactly. */
export function encodeErrorFor(idText: string | undefined, error: RpcError): string {
  const id = idText === undefined ? '' : `"id":${idText},`
  return `{"jsonrpc":"2.0",${id}"error":${JSON.stringify(error)}}`
}
