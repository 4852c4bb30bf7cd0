import { toHttpStatus, toRetryAfterMs, toRpcError } from '../errors.ts'
import { encodeError } from '../jsonrpc/encode.ts'
import type { Id } from '../jsonrpc/frame.ts'
import { toText as decode } from '../jsonrpc/relayed.ts'
import type { Revision } from '../revisions/revision.ts'

/** One response, ready for any transport. */
export interface Reply {
  readonly text: string
  /** What follows the text, where there are bytes of it already: kept from answer to answer, or relayed. */
  readonly tail?: Tail
  /** For HTTP, when the answer is not already under way as a stream. */
  readonly status: number
  /** For HTTP, where a status says that it may be tried again, after how many milliseconds. */
  readonly retryAfterMs?: number | undefined
}

export interface Tail {
  readonly text: string
  /** The same, as it is sent. */
  readonly pieces: readonly Uint8Array[]
}

/** Bytes that are text only for who needs it. */
export class Pieces implements Tail {
  readonly pieces: readonly Uint8Array[]

  constructor(pieces: readonly Uint8Array[]) {
    this.pieces = pieces
  }

  get text(): string {
    return decode(this.pieces)
  }
}

/** All of it as text. */
export function toText({ text, tail }: Reply): string {
  return tail === undefined ? text : text + tail.text
}

/** The response that carries an error, in the caller's revision. An HTTP status says only what its era lets it say. */
export function toFailure(revision: Revision, method: string, id: Id, error: unknown): Reply {
  const rpc = revision.downError(toRpcError(error, revision.traits.errorCodes), method)
  // To a client with sessions 404 means that its session is gone, and 400 that its message was malformed.
  const status = revision.traits.lifecycle === 'envelope' ? toHttpStatus(error) : 200
  return { text: encodeError(id, rpc), status, retryAfterMs: toRetryAfterMs(error) }
}
