import type { IncomingHttpHeaders } from 'node:http'
import { McpError } from '../../errors.ts'
import type { JsonObject, RequestFrame } from '../../jsonrpc/frame.ts'
import { shown } from '../../jsonrpc/shown.ts'
import { openEnveloped, parseNamedVersion } from '../../peer/enveloped.ts'
import { toFailure } from '../../peer/reply.ts'
import { toEnvelopeRevision } from '../../peer/served.ts'
import type { Principal } from '../../protocol/call.ts'
import { NEWEST } from '../../revisions/index.ts'
import type { Desk } from './desk.ts'
import { checkMirrored, checkMirroredArguments } from './mirrored.ts'
import type { HttpReply } from './reply.ts'

/** A request that says all it needs. The order of the checks is that of PROTOCOL §6.4; clients depend on it. */
export function answerEnveloped(
  desk: Desk,
  frame: RequestFrame,
  headers: IncomingHttpHeaders,
  principal: Principal,
  reply: HttpReply,
): void {
  const { served } = desk
  let revision = served.envelopes[0] ?? NEWEST
  try {
    const version = parseNamedVersion(frame.params)
    checkVersionHeader(version, headers['mcp-protocol-version'])
    revision = toEnvelopeRevision(served, version)
    const call = openEnveloped(served, revision, frame, principal, reply, (descriptor) => {
      if (revision.traits.standardHeaders) checkMirrored(frame, descriptor, headers)
    })
    if (frame.method === 'tools/call') checkArguments(desk, frame.params, headers, principal)
    if (revision.traits.disconnectCancels) {
      reply.onGone = () => call.drop(new McpError('caller.cancelled', 'The caller closed the connection'))
    }
    desk.calls.take(call)
  } catch (error) {
    reply.answer(toFailure(revision, frame.method, frame.id, error))
  }
}

function checkVersionHeader(version: string, header: string | readonly string[] | undefined): void {
  if (header === version) return
  const found = header === undefined ? 'is missing' : `says "${shown(String(header))}"`
  throw new McpError(
    'caller.header_mismatch',
    `Header "MCP-Protocol-Version" ${found}; the body says "${shown(version)}"`,
  )
}

function checkArguments(desk: Desk, params: JsonObject, headers: IncomingHttpHeaders, principal: Principal): void {
  const { toolSchema } = desk.endpoint
  if (toolSchema === undefined || typeof params.name !== 'string') return
  const schema = toolSchema(params.name, principal)
  if (schema !== undefined) checkMirroredArguments(schema, params, headers)
}
