import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { McpError } from '../../errors.ts'
import { PARSE_ERROR } from '../../jsonrpc/codes.ts'
import type { Frame, RequestFrame } from '../../jsonrpc/frame.ts'
import { FrameFault, parseMessage } from '../../jsonrpc/parse.ts'
import { toFailure } from '../../peer/reply.ts'
import { unsupportedRevision } from '../../peer/served.ts'
import type { Principal } from '../../protocol/call.ts'
import { checkEnvelope, hasEnvelope, parseEnvelope } from '../../protocol/envelope.ts'
import { NEWEST } from '../../revisions/index.ts'
import { BOTH, COMMON_ACCEPT, isJsonType, parseAccept } from './accept.ts'
import type { Desk } from './desk.ts'
import { answerEnveloped } from './enveloped.ts'
import { answerInitialize, takeMessages } from './handshaken.ts'
import { type DoorState, HttpReply } from './reply.ts'

/**
 * Reads a POST to an endpoint and answers it, by whoever it was sent; the guards have let it pass. At most
 * `maxBytes` of the body and one chunk are held. Each step is written out here, since every call takes it.
 */
export function receivePost(
  desk: Desk,
  request: IncomingMessage,
  response: ServerResponse,
  principal: Principal,
  door: DoorState,
): void {
  const { headers } = request
  const { limits } = desk.served
  const accepts = headers.accept === COMMON_ACCEPT ? BOTH : parseAccept(headers.accept)
  const reply = new HttpReply(response, accepts, door, desk.served.maxStreamBytes)
  if (headers['content-type'] !== 'application/json' || headers['content-encoding'] !== undefined || accepts !== BOTH) {
    const refusal = findHeaderFault(headers, accepts)
    if (refusal !== undefined) {
      reply.refuse(refusal)
      return
    }
  }
  if (Number(headers['content-length']) > limits.maxBytes) {
    reply.refuse(tooLarge(limits.maxBytes))
    return
  }
  let first: Buffer | undefined
  let rest: Buffer[] | undefined
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > limits.maxBytes) {
      if (bytes - chunk.length <= limits.maxBytes) reply.refuse(tooLarge(limits.maxBytes))
      first = undefined
      rest = undefined
    } else if (first === undefined) first = chunk
    else if (rest === undefined) rest = [first, chunk]
    else rest.push(chunk)
  })
  // A client that leaves before the end is not heard of again: there is nobody to answer.
  request.on('end', () => {
    if (bytes > limits.maxBytes) return
    const body = rest === undefined ? (first ?? EMPTY) : Buffer.concat(rest)
    try {
      if (!isUtf8(body)) throw new FrameFault(PARSE_ERROR, 'Cannot read a body that is not UTF-8')
      dispatch(desk, parseMessage(body.toString('utf8'), limits), headers, principal, reply)
    } catch (error) {
      reply.refuse(error)
    }
  })
}

/** Which era a message belongs to: the order of PROTOCOL §5.2. */
function dispatch(
  desk: Desk,
  message: Frame | readonly Frame[],
  headers: IncomingHttpHeaders,
  principal: Principal,
  reply: HttpReply,
): void {
  const version = headers['mcp-protocol-version']
  const isModernHeader = version !== undefined && desk.served.envelopes.has(String(version))
  if (Array.isArray(message)) {
    dispatchBatch(desk, message, isModernHeader, headers, principal, reply)
    return
  }
  const frame = message as Frame // not an array: the check above does not narrow a readonly one
  const isEnveloped = frame.kind === 'request' && hasEnvelope(frame.params)
  if (isEnveloped && frame.method !== 'initialize') {
    if (frame.method === 'subscriptions/listen' && !reply.accepts.sse) throw notAcceptable()
    answerEnveloped(desk, frame, headers, principal, reply)
  } else if (frame.kind === 'request') {
    dispatchBare(desk, frame, isModernHeader, headers, principal, reply)
  } else if (frame.kind === 'notification') {
    if (isModernHeader || hasEnvelope(frame.params)) reply.nothing(202)
    else takeHandshaken(desk, frame, headers, principal, reply)
  } else if (isModernHeader || desk.served.handshakes.length === 0) {
    throw new McpError('peer.invalid_request', 'Cannot take a response: nothing was asked')
  } else takeHandshaken(desk, frame, headers, principal, reply)
}

/** A request without an envelope, or the one method that may have one and still be of an older revision. */
function dispatchBare(
  desk: Desk,
  frame: RequestFrame,
  isModernHeader: boolean,
  headers: IncomingHttpHeaders,
  principal: Principal,
  reply: HttpReply,
): void {
  if (frame.method === 'initialize') {
    if (namesEnvelope(desk, frame)) answerEnveloped(desk, frame, headers, principal, reply)
    else initialize(desk, frame, isModernHeader, principal, reply)
  } else if (isModernHeader) refuseBare(frame, reply)
  else takeHandshaken(desk, frame, headers, principal, reply)
}

function dispatchBatch(
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

/** Whether the envelope of `initialize` is a valid one of a revision that has none such, and is judged by that. */
function namesEnvelope(desk: Desk, frame: RequestFrame): boolean {
  if (!hasEnvelope(frame.params)) return false
  try {
    const { revision, capabilities } = parseEnvelope(frame.params)
    return revision !== undefined && desk.served.envelopes.has(revision) && capabilities !== undefined
  } catch {
    return false // an envelope that cannot be read is none; the request is judged as what its method says
  }
}

/**
 * Compressed bodies are refused: no client of this protocol sends them, and what is not decompressed cannot
 * explode.
 */
function findHeaderFault(headers: IncomingHttpHeaders, accepts: HttpReply['accepts']): McpError | undefined {
  const coding = headers['content-encoding']
  if (!isJsonType(headers['content-type'])) {
    return new McpError('peer.unsupported_media', 'Cannot read a body that is not "application/json" in UTF-8')
  }
  if (coding !== undefined && coding.toLowerCase() !== 'identity') {
    return new McpError('peer.unsupported_media', 'Cannot read a compressed body; send it as it is')
  }
  return accepts.json || accepts.sse ? undefined : notAcceptable()
}

function tooLarge(maxBytes: number): McpError {
  return new McpError('peer.too_large', `Cannot read a body of more than ${maxBytes} bytes`)
}

function notAcceptable(): McpError {
  return new McpError('peer.not_acceptable', 'Cannot answer in a form that "Accept" allows: JSON or an event stream')
}

const EMPTY = Buffer.alloc(0)
