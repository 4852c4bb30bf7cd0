import { McpError, toHttpStatus, toRpcError } from '../errors.ts'
import { encodeError } from '../jsonrpc/encode.ts'
import type { Id } from '../jsonrpc/frame.ts'
import type { Result } from '../protocol/call.ts'
import { SERVER_INFO } from '../protocol/envelope.ts'
import type { MethodCodec, Revision } from '../revisions/revision.ts'
import type { Served } from './served.ts'

/** One response, ready for any transport. */
export interface Reply {
  readonly text: string
  /** For HTTP, when the answer is not already under way as a stream. */
  readonly status: number
}

/** The response that carries a result, in the caller's revision. */
export function toAnswer(served: Served, revision: Revision, codec: MethodCodec, id: Id, result: Result): Reply {
  if (typeof result !== 'object' || result === null) {
    throw new McpError('internal.error', `Cannot answer "${codec.descriptor.name}": its handler gave no result`)
  }
  const { resultType } = result
  if (resultType !== undefined && resultType !== 'complete') checkResultType(revision, codec, resultType)
  const body = revision.traits.resultType
    ? toStampedText(served, revision, codec, result)
    : JSON.stringify(codec.downResult(result))
  return { text: `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${body}}`, status: 200 }
}

/** The response that carries an error, in the caller's revision. An HTTP status says only what its era lets it say. */
export function toFailure(revision: Revision, method: string, id: Id, error: unknown): Reply {
  const rpc = revision.downError(toRpcError(error, revision.traits.errorCodes), method)
  // To a client with sessions 404 means that its session is gone, and 400 that its message was malformed.
  const status = revision.traits.lifecycle === 'envelope' ? toHttpStatus(error) : 200
  return { text: encodeError(id, rpc), status }
}

/**
 * Adds what the revision requires and the result lacks. Members go in as text in front of the serialised result:
 * copying a result to add to it costs more than serialising it.
 */
function toStampedText(served: Served, revision: Revision, codec: MethodCodec, given: Result): string {
  let result = given
  if (codec.descriptor.name === 'server/discover') {
    // Whatever the handle speaks to its own upstream, here it is we who speak.
    result = { ...result, supportedVersions: served.envelopes.map((offered) => offered.name) }
  }
  const complete = result.resultType === undefined || result.resultType === 'complete'
  let lead = result.resultType === undefined ? '"resultType":"complete",' : ''
  let body = result
  if (revision.traits.cacheHints && codec.descriptor.cacheable === true && complete) {
    if (result.ttlMs === undefined) lead += '"ttlMs":0,'
    if (result.cacheScope === undefined) lead += '"cacheScope":"private",'
  }
  if (result._meta === undefined) lead += served.stamp
  else body = { ...result, _meta: { ...result._meta, [SERVER_INFO]: served.serverInfo } }
  const text = JSON.stringify(codec.downResult(body))
  if (lead === '') return text
  if (text === '{}') return `{${lead.endsWith(',') ? lead.slice(0, -1) : lead}}`
  return `{${lead.endsWith(',') ? lead : `${lead},`}${text.slice(1)}`
}

function checkResultType(revision: Revision, codec: MethodCodec, resultType: string): void {
  const { name, mayAsk } = codec.descriptor
  if (revision.traits.resultType && (resultType !== 'input_required' || mayAsk === true)) return
  throw new McpError(
    'caller.missing_capability',
    `Cannot answer "${name}" with "${resultType}": a caller of revision ${revision.name} would not understand it`,
  )
}
