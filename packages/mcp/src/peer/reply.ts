import { toHttpStatus, toRpcError } from '../errors.ts'
import { encodeError } from '../jsonrpc/encode.ts'
import type { Id } from '../jsonrpc/frame.ts'
import type { KeptText } from '../protocol/kept.ts'
import type { Revision } from '../revisions/revision.ts'

/** One response, ready for any transport. */
export interface Reply {
  readonly text: string
  /** What follows the text, where it is kept from answer to answer (`protocol/kept.ts`). */
  readonly tail?: KeptText
  /** For HTTP, when the answer is not already under way as a stream. */
  readonly status: number
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
  return { text: encodeError(id, rpc), status }
}
