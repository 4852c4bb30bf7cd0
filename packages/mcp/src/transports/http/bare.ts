import type { IncomingHttpHeaders } from 'node:http'
import { McpError } from '../../errors.ts'
import type { Frame, RequestFrame } from '../../jsonrpc/frame.ts'
import { toFailure } from '../../peer/reply.ts'
import { unsupportedRevision } from '../../peer/served.ts'
import type { Principal } from '../../protocol/call.ts'
import { checkEnvelope, hasEnvelope, parseEnvelope } from '../../protocol/envelope.ts'
import { NEWEST } from '../../revisions/index.ts'
import type { Desk } from './desk.ts'
import { answerInitialize, takeMessages } from './handshaken.ts'
import type { HttpReply } from './reply.ts'

/**
 * What came without an envelope, or is no request: messages of a session, an `initialize`, batches, notifications
 * and responses, in the order of PROTOCOL §5.2.
 */
export function takeBare(
  desk: Desk,
  message: Frame | readonly Frame[],
  headers: IncomingHttpHeaders,
  principal: Principal,
  reply: HttpReply,
): void {
  const version = headers['mcp-protocol-version']
  const isModernHeader = version !== undefined && desk.served.envelopes.has(String(version))
  if (Array.isArray(message)) {
    takeBatch(desk, message, isModernHeader, headers, principal, reply)
    return
  }
  const frame = message as Frame // not an array: the check above does not narrow a readonly one
  if (frame.kind === 'request') {
    if (frame.method === 'initialize') initialize(desk, frame, isModernHeader, principal, reply)
    else if (isModernHeader) refuseBare(frame, reply)
    else takeHandshaken(desk, frame, headers, principal, reply)
  } else if (frame.kind === 'notification') {
    if (isModernHeader || hasEnvelope(frame.params)) reply.nothing(202)
    else takeHandshaken(desk, frame, headers, principal, reply)
  } else if (isModernHeader || desk.served.handshakes.length === 0) {
    throw new McpError('peer.invalid_request', 'Cannot take a response: nothing was asked')
  } else takeHandshaken(desk, frame, headers, principal, reply)
}

function takeBatch(
  desk: Desk,
  batch: readonly Frame[],
  isModernHeader: boolean,
  headers: IncomingHttpHeaders,
  principal: Principal,
  reply: HttpReply,
): void {
  const isModern = batch.some((frame) => 'params' in frame && hasEnvelope(frame.params))
  if (isModern || isModernHeader || desk.served.handshakes.length === 0) {
    throw new McpError('peer.invalid_request', 'Cannot take a batch: send one message with each request')
  }
  takeMessages(desk, batch, headers, principal, reply)
}

function initialize(
  desk: Desk,
  frame: RequestFrame,
  isModernHeader: boolean,
  principal: Principal,
  reply: HttpReply,
): void {
  const { served } = desk
  if (isModernHeader) {
    const error = new McpError(
      'caller.header_mismatch',
      'Header "MCP-Protocol-Version" names a version without initialize',
    )
    reply.answer(toFailure(NEWEST, frame.method, frame.id, error))
  } else if (served.handshakes.length === 0) {
    const { protocolVersion } = frame.params
    const asked = typeof protocolVersion === 'string' ? protocolVersion : undefined
    reply.answer(toFailure(NEWEST, frame.method, frame.id, unsupportedRevision(served, asked)))
  } else answerInitialize(desk, frame, principal, reply)
}

function takeHandshaken(
  desk: Desk,
  frame: Frame,
  headers: IncomingHttpHeaders,
  principal: Principal,
  reply: HttpReply,
): void {
  try {
    if (desk.served.handshakes.length === 0) throw unsupportedRevision(desk.served, undefined)
    takeMessages(desk, frame, headers, principal, reply)
  } catch (error) {
    reply.refuse(error, frame.kind === 'request' ? JSON.stringify(frame.id) : undefined)
  }
}

/** The header promises an envelope and there is none: never taken for a request of an older revision. */
function refuseBare(frame: RequestFrame, reply: HttpReply): void {
  try {
    checkEnvelope(parseEnvelope(frame.params))
  } catch (error) {
    reply.answer(toFailure(NEWEST, frame.method, frame.id, error))
  }
}

/** Whether the envelope of `initialize` is a valid one of a revision that has no such method, and judges it. */
export function namesEnvelope(desk: Desk, frame: RequestFrame): boolean {
  if (!hasEnvelope(frame.params)) return false
  try {
    const { revision, capabilities } = parseEnvelope(frame.params)
    return revision !== undefined && desk.served.envelopes.has(revision) && capabilities !== undefined
  } catch {
    return false // an envelope that cannot be read is none; the request is judged as what its method says
  }
}
