/**
 * JSON-RPC 2.0 frames as values. This room knows no MCP word: a frame is a request, a notification,
 * a result or an error, and nothing here says what a method means.
 */

/** A request id. `1` and `"1"` are different ids; the type a peer chose is kept. Never null, never fractional. */
export type Id = string | number

/** A JSON object whose members are not known yet. */
export type JsonObject = { readonly [key: string]: unknown }

/** The `error` member of an error response (JSON-RPC 2.0 §5.1). */
export interface RpcError {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

export interface RequestFrame {
  readonly kind: 'request'
  readonly id: Id
  readonly method: string
  readonly params: JsonObject
}

export interface NotificationFrame {
  readonly kind: 'notification'
  readonly method: string
  readonly params: JsonObject
}

export interface ResultFrame {
  readonly kind: 'result'
  readonly id: Id
  readonly result: JsonObject
}

export interface ErrorFrame {
  readonly kind: 'error'
  /** Absent when the peer could not read the id of what it answers. */
  readonly id: Id | undefined
  readonly error: RpcError
}

export type ReplyFrame = ResultFrame | ErrorFrame
export type Frame = RequestFrame | NotificationFrame | ReplyFrame

/** Absent `params` read as this, so that nobody inside asks whether they exist. */
export const NO_PARAMS: JsonObject = Object.freeze({})
