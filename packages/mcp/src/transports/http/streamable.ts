import type { IncomingMessage, ServerResponse } from 'node:http'
import { McpError } from '../../errors.ts'
import type { Frame, RequestFrame } from '../../jsonrpc/frame.ts'
import { FrameFault, parseMessage } from '../../jsonrpc/parse.ts'
import { toFailure } from '../../peer/reply.ts'
import { unsupportedRevision } from '../../peer/served.ts'
import type { Principal } from '../../protocol/call.ts'
import { checkEnvelope, hasEnvelope, parseEnvelope } from '../../protocol/envelope.ts'
import { findRevision, NEWEST } from '../../revisions/index.ts'
import { isJsonType, parseAccept } from './accept.ts'
import { readBody } from './body.ts'
import type { Desk } from './desk.ts'
import { answerEnveloped } from './enveloped.ts'
import { answerInitialize, endSession, openStream, takeMessages } from './handshaken.ts'
import { HttpReply, type ReplyContext } from './reply.ts'

/** One request to an endpoint, by whoever sent it: the guards have let it pass. */
export function receive(
  desk: Desk,
  request: IncomingMessage,
  response: ServerResponse,
  principal: Principal,
  context: ReplyContext,
): void {
  if (request.method === 'POST') receivePost(desk, request, response, principal, context)
  else receiveOther(desk, request, response, principal, context)
}

function receivePost(
  desk: Desk,
  request: IncomingMessage,
  response: ServerResponse,
  principal: Principal,
  context: ReplyContext,
): void {
  const accepts = parseAccept(request.headers.accept)
  const reply = new HttpReply(response, accepts, context)
  if (!isJsonType(request.headers['content-type'])) {
    reply.refuse(new McpError('peer.unsupported_media', 'Cannot read a body that is not "application/json" in UTF-8'))
    return
  }
  if (!accepts.json && !accepts.sse) {
    reply.refuse(notAcceptable())
    return
  }
  readBody(request, desk.served.limits.maxBytes, (text, fault) => {
    if (fault !== undefined) {
      reply.refuse(fault)
      return
    }
    try {
      dispatch(desk, parseMessage(text, desk.served.limits), request, response, principal, reply)
    } catch (error) {
      reply.refuse(error instanceof FrameFault ? error : toRefusal(error))
    }
  })
}

/** Which era a message belongs to: the order of PROTOCOL §5.2. */
function dispatch(
  desk: Desk,
  message: Frame | readonly Frame[],
  request: IncomingMessage,
  response: ServerResponse,
  principal: Principal,
  reply: HttpReply,
): void {
  const { headers } = request
  const isModernHeader = namesEnvelope(headers['mcp-protocol-version'])
  if (Array.isArray(message)) {
    dispatchBatch(desk, message, isModernHeader, request, principal, reply)
    return
  }
  const frame = message as Frame // not an array: the check above does not narrow a readonly one
  if (frame.kind === 'result' || frame.kind === 'error') {
    if (isModernHeader || desk.served.handshakes.length === 0) {
      throw new McpError('peer.invalid_request', 'Cannot take a response: nothing was asked')
    }
    takeMessages(desk, frame, headers, principal, reply)
    return
  }
  const isEnveloped = hasEnvelope(frame.params)
  if (frame.kind === 'notification') {
    if (isEnveloped || isModernHeader) reply.nothing(202)
    else takeHandshaken(desk, frame, request, principal, reply)
    return
  }
  if (frame.method === 'initialize' && !namesEnvelopeIn(frame)) {
    initialize(desk, frame, isModernHeader, principal, response, reply)
    return
  }
  if (isEnveloped) {
    if (frame.method === 'subscriptions/listen' && !parseAccept(headers.accept).sse) throw notAcceptable()
    answerEnveloped(desk, frame, headers, principal, reply)
  } else if (isModernHeader) refuseBare(frame, reply)
  else takeHandshaken(desk, frame, request, principal, reply)
}

function dispatchBatch(
  desk: Desk,
  batch: readonly Frame[],
  isModernHeader: boolean,
  request: IncomingMessage,
  principal: Principal,
  reply: HttpReply,
): void {
  const isModern = batch.some((frame) => 'params' in frame && hasEnvelope(frame.params))
  if (isModern || isModernHeader || desk.served.handshakes.length === 0) {
    throw new McpError('peer.invalid_request', 'Cannot take a batch: send one message with each request')
  }
  takeMessages(desk, batch, request.headers, principal, reply)
}

function initialize(
  desk: Desk,
  frame: RequestFrame,
  isModernHeader: boolean,
  principal: Principal,
  response: ServerResponse,
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
  } else answerInitialize(desk, frame, principal, response, reply)
}

function takeHandshaken(
  desk: Desk,
  frame: Frame,
  request: IncomingMessage,
  principal: Principal,
  reply: HttpReply,
): void {
  if (desk.served.handshakes.length === 0) throw unsupportedRevision(desk.served, undefined)
  try {
    takeMessages(desk, frame, request.headers, principal, reply)
  } catch (error) {
    reply.refuse(toRefusal(error), frame.kind === 'request' ? JSON.stringify(frame.id) : undefined)
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

function receiveOther(
  desk: Desk,
  request: IncomingMessage,
  response: ServerResponse,
  principal: Principal,
  context: ReplyContext,
): void {
  const { method, headers } = request
  const hasSessions = desk.served.handshakes.length > 0 && !namesEnvelope(headers['mcp-protocol-version'])
  const accepts = parseAccept(headers.accept)
  try {
    if (!hasSessions || (method !== 'GET' && method !== 'DELETE')) {
      response.setHeader('allow', desk.served.handshakes.length > 0 ? 'POST, GET, DELETE' : 'POST')
      throw new McpError('peer.wrong_http_method', `Cannot take "${method}" here`)
    }
    if (method === 'GET') {
      if (!accepts.sse) throw notAcceptable()
      openStream(desk, headers, principal, response)
    } else {
      endSession(desk, headers, principal)
      response.writeHead(200, { 'content-length': 0 }).end()
    }
  } catch (error) {
    new HttpReply(response, { json: true, sse: false }, context).refuse(toRefusal(error))
  }
}

/** Whether a version header names a revision whose requests carry envelopes. */
function namesEnvelope(header: string | readonly string[] | undefined): boolean {
  return typeof header === 'string' && findRevision(header)?.traits.lifecycle === 'envelope'
}

function namesEnvelopeIn(frame: RequestFrame): boolean {
  if (!hasEnvelope(frame.params)) return false
  try {
    const { revision, capabilities } = parseEnvelope(frame.params)
    return namesEnvelope(revision) && capabilities !== undefined
  } catch {
    return false // an envelope that cannot be read is none; the request is judged as what its method says
  }
}

function notAcceptable(): McpError {
  return new McpError('peer.not_acceptable', 'Cannot answer in a form that "Accept" allows: JSON or an event stream')
}

function toRefusal(error: unknown): McpError {
  return error instanceof McpError ? error : new McpError('internal.error', 'Internal error', { cause: error })
}
