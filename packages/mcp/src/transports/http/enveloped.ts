import type { IncomingHttpHeaders } from 'node:http'
import { McpError } from '../../errors.ts'
import type { JsonObject, RequestFrame } from '../../jsonrpc/frame.ts'
import { shown } from '../../jsonrpc/shown.ts'
import { openEnveloped } from '../../peer/open-call.ts'
import { toFailure } from '../../peer/reply.ts'
import type { Principal } from '../../protocol/call.ts'
import { PROTOCOL_VERSION } from '../../protocol/envelope.ts'
import { NEWEST } from '../../revisions/index.ts'
import type { MethodCodec } from '../../revisions/revision.ts'
import type { Desk } from './desk.ts'
import { checkMirroredArguments, decodeMirrored } from './mirrored.ts'
import type { HttpReply } from './reply.ts'

/** A request that says all it needs, in the body and again in the headers. */
export function answerEnveloped(
  desk: Desk,
  frame: RequestFrame,
  headers: IncomingHttpHeaders,
  principal: Principal,
  reply: HttpReply,
): void {
  // The caller has seen that there is an envelope. A version that is no text is refused below, before its header.
  const version = (frame.params._meta as JsonObject)[PROTOCOL_VERSION]
  if (typeof version === 'string' && headers['mcp-protocol-version'] !== version) {
    refuse(frame, mismatch('MCP-Protocol-Version', headers['mcp-protocol-version']), reply)
    return
  }
  const call = openEnveloped(desk.served, frame, principal, reply, checkNames, headers)
  if (call === undefined) return
  if (desk.endpoint.toolSchema !== undefined && frame.method === 'tools/call') {
    const error = findArgumentMismatch(desk.endpoint.toolSchema, frame.params, headers, principal)
    if (error !== undefined) {
      refuse(frame, error, reply)
      return
    }
  }
  if (call.caller.revision.traits.disconnectCancels) reply.call = call
  desk.calls.take(call)
}

/**
 * Headers repeat parts of the body for those who route without reading it. Whoever reads both must see to it that
 * they agree, or a rule judged by one would be passed by the other.
 */
function checkNames(frame: RequestFrame, codec: MethodCodec | undefined, headers: IncomingHttpHeaders): void {
  if (headers['mcp-method'] !== frame.method) throw mismatch('Mcp-Method', headers['mcp-method'])
  const nameParam = codec?.descriptor.nameParam
  if (nameParam === undefined) return
  const name = frame.params[nameParam]
  const header = headers['mcp-name']
  // A body without a name is for the handler to refuse; a header that names one all the same is a mismatch.
  if (typeof name !== 'string' && header === undefined) return
  if (typeof header !== 'string') throw mismatch('Mcp-Name', header)
  if ((header.startsWith('=?') ? decodeMirrored(header) : header) !== name) throw mismatch('Mcp-Name', header)
}

function findArgumentMismatch(
  toolSchema: NonNullable<Desk['endpoint']['toolSchema']>,
  params: JsonObject,
  headers: IncomingHttpHeaders,
  principal: Principal,
): McpError | undefined {
  const schema = typeof params.name === 'string' ? toolSchema(params.name, principal) : undefined
  const header = schema === undefined ? undefined : checkMirroredArguments(schema, params, headers)
  return header === undefined ? undefined : mismatch(header, headers[header])
}

function refuse(frame: RequestFrame, error: McpError, reply: HttpReply): void {
  reply.answer(toFailure(NEWEST, frame.method, frame.id, error))
}

function mismatch(header: string, value: string | readonly string[] | undefined): McpError {
  const found = value === undefined ? 'is missing' : `says "${shown(String(value))}"`
  return new McpError('caller.header_mismatch', `Header "${header}" ${found}, which is not what the body says`)
}
