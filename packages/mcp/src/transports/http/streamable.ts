import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import { McpError } from '../../errors.ts'
import { PARSE_ERROR } from '../../jsonrpc/codes.ts'
import type { Frame, JsonObject, RequestFrame } from '../../jsonrpc/frame.ts'
import { FrameFault, parseMessage } from '../../jsonrpc/parse.ts'
import { shown } from '../../jsonrpc/shown.ts'
import { openEnveloped } from '../../peer/open-call.ts'
import { toFailure } from '../../peer/reply.ts'
import type { Principal } from '../../protocol/call.ts'
import { hasEnvelope, PROTOCOL_VERSION } from '../../protocol/envelope.ts'
import { NEWEST } from '../../revisions/index.ts'
import type { MethodCodec } from '../../revisions/revision.ts'
import { BytePieces } from '../byte-pieces.ts'
import { BOTH, COMMON_ACCEPT, isJsonType, parseAccept } from './accept.ts'
import { namesEnvelope, takeBare } from './bare.ts'
import { checkScopes } from './challenge.ts'
import type { Desk } from './desk.ts'
import { takeElsewhere } from './elsewhere/route.ts'
import type { HttpRequest, HttpResponse } from './exchange.ts'
import { checkMirroredArguments, decodeMirrored } from './mirrored.ts'
import { HttpReply, tooManyBytes } from './reply.ts'

/**
 * Reads a POST to an endpoint and answers it, by whoever it was sent; the guards have let it pass. At most
 * `maxBytes` of the body and one chunk are held. Each step is written out here, since every call takes it.
 * @param take what to do with the message, and with its bytes where it is for another process
 */
export function receivePost(
  desk: Desk,
  request: HttpRequest,
  response: HttpResponse,
  principal: Principal,
  take: Take = dispatch,
): void {
  const { headers } = request
  const { limits } = desk.served
  const { door } = desk.replies
  const accepts = headers.accept === COMMON_ACCEPT ? BOTH : parseAccept(headers.accept)
  const reply = new HttpReply(response, accepts, desk.replies)
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
  let rest: BytePieces | undefined
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > limits.maxBytes) {
      if (bytes - chunk.length <= limits.maxBytes) reply.refuse(tooLarge(limits.maxBytes))
      first = undefined
      rest = undefined
    } else if (first === undefined) first = chunk
    else {
      if (rest === undefined) {
        rest = new BytePieces()
        rest.add(first)
        // Who leaves in the middle gets no answer.
        request.on('close', () => {
          if (!request.complete) reply.release()
        })
      }
      rest.add(chunk)
      reply.heldBytes += chunk.length
      door.heldBytes += chunk.length
      // A body that is alone is bounded by its own limit.
      if (door.heldBytes > door.maxHeldBytes && reply.heldBytes < door.heldBytes) {
        reply.refuse(tooManyBytes())
        bytes = Number.POSITIVE_INFINITY
        first = undefined
        rest = undefined
      }
    }
  })
  // A client that leaves before the end is not heard of again: there is nobody to answer.
  request.on('end', () => {
    if (bytes > limits.maxBytes) return
    const body = rest === undefined ? (first ?? EMPTY) : rest.join()
    // Who listens stays for days; the bytes of the request need not.
    first = undefined
    rest = undefined
    try {
      if (!isUtf8(body)) throw new FrameFault(PARSE_ERROR, 'Cannot read a body that is not UTF-8')
      const message = parseMessage(body.toString('utf8'), limits)
      if (desk.endpoint.scopesFor !== undefined) checkScopes(desk.endpoint.scopesFor, message, principal)
      take(desk, message, headers, principal, reply, body)
    } catch (error) {
      reply.refuse(error)
    }
  })
}

type Take = typeof dispatch

/** Which era a message belongs to: the order of PROTOCOL §5.2. */
function dispatch(
  desk: Desk,
  message: Frame | readonly Frame[],
  headers: IncomingHttpHeaders,
  principal: Principal,
  reply: HttpReply,
  body: Uint8Array,
): void {
  const frame = message as Frame // a batch has no kind
  const isEnveloped =
    frame.kind === 'request' &&
    hasEnvelope(frame.params) &&
    (frame.method !== 'initialize' || namesEnvelope(desk, frame))
  const { elsewhere } = desk
  if (
    elsewhere !== undefined &&
    takeElsewhere(desk, elsewhere, { message, headers, principal, reply, body }, isEnveloped, (it) =>
      dispatch(desk.here, it.message, it.headers, it.principal, it.reply, it.body),
    )
  )
    return
  if (!isEnveloped) {
    takeBare(desk, message, headers, principal, reply)
    return
  }
  if (frame.method === 'subscriptions/listen') checkMayListen(reply)
  answerEnveloped(desk, frame, headers, principal, reply)
}

/** A request that says all it needs, in the body and again in the headers. */
function answerEnveloped(
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
    const { name } = frame.params
    const schema = typeof name === 'string' ? desk.endpoint.toolSchema(name, principal, call.call) : undefined
    if (typeof schema === 'function') call.before = async () => checkArguments(await schema(), frame.params, headers)
    else if (schema !== undefined) {
      const error = findArgumentMismatch(schema, frame.params, headers)
      if (error !== undefined) {
        refuse(frame, error, reply)
        return
      }
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

/** A listener behind an unanswered request would hear nothing, and a connection could hold any number of them. */
function checkMayListen({ accepts, response }: HttpReply): void {
  if (!accepts.sse) throw notAcceptable()
  if (response.socket === null) {
    throw new McpError('policy.limit', 'Cannot listen behind an unanswered request; use another connection')
  }
}

function findArgumentMismatch(
  schema: JsonObject,
  params: JsonObject,
  headers: IncomingHttpHeaders,
): McpError | undefined {
  const header = checkMirroredArguments(schema, params, headers)
  return header === undefined ? undefined : mismatch(header, headers[header])
}

/** @throws {McpError} `caller.header_mismatch` */
function checkArguments(schema: JsonObject | undefined, params: JsonObject, headers: IncomingHttpHeaders): void {
  const error = schema === undefined ? undefined : findArgumentMismatch(schema, params, headers)
  if (error !== undefined) throw error
}

function refuse(frame: RequestFrame, error: McpError, reply: HttpReply): void {
  reply.answer(toFailure(NEWEST, frame.method, frame.id, error))
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

function mismatch(header: string, value: string | readonly string[] | undefined): McpError {
  const found = value === undefined ? 'is missing' : `says "${shown(String(value))}"`
  return new McpError('caller.header_mismatch', `Header "${header}" ${found}, which is not what the body says`)
}

const EMPTY = Buffer.alloc(0)
