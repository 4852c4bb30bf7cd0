import { McpError } from '../../errors.ts'
import type { Frame } from '../../jsonrpc/frame.ts'
import type { Principal } from '../../protocol/call.ts'
import { parseAccept } from '../http/accept.ts'
import type { Desk } from '../http/desk.ts'
import { type Posted, takeOfSession } from '../http/elsewhere/route.ts'
import type { HttpRequest, HttpResponse } from '../http/exchange.ts'
import { HttpReply } from '../http/reply.ts'
import { receivePost } from '../http/streamable.ts'

/**
 * The transport of the oldest revision (specification 2024-11-05, basic/transports: HTTP with SSE), at one path: a
 * GET is the session for as long as its stream lasts, and a POST with the id of a session says something in it.
 */
export function receiveSse(desk: Desk, request: HttpRequest, response: HttpResponse, principal: Principal): void {
  try {
    if (!desk.streams.isOffered) throw new McpError('peer.not_found', 'Nothing is served at this path')
    const { method, url = '/' } = request
    const at = url.indexOf('?')
    const path = at === -1 ? url : url.slice(0, at)
    const id = at === -1 ? null : new URLSearchParams(url.slice(at)).get(SESSION)
    if (method === 'GET') openStream(desk, path, request, response, principal)
    else if (method === 'POST' && id !== null) say(desk, id, request, response, principal)
    else {
      // A newer client learns from this status that it has to fall back.
      response.setHeader('allow', 'GET')
      throw new McpError('peer.wrong_http_method', `Cannot take "${method}" here: GET opens the stream`)
    }
  } catch (error) {
    response.shouldKeepAlive = false
    new HttpReply(response, { json: true, sse: false }, desk.replies).refuse(error)
  }
}

function openStream(
  desk: Desk,
  path: string,
  { headers }: HttpRequest,
  response: HttpResponse,
  principal: Principal,
): void {
  if (!parseAccept(headers.accept).sse) {
    throw new McpError('peer.not_acceptable', 'Cannot answer in a form that "Accept" allows: an event stream')
  }
  if (response.socket === null) {
    throw new McpError('policy.limit', 'Cannot open a stream behind an unanswered request; use another connection')
  }
  // Path and query alone: of a whole URL we would have to guess what a proxy before us calls itself.
  desk.streams.open(principal, response, (id) => `${path}?${SESSION}=${id}`)
}

function say(desk: Desk, id: string, request: HttpRequest, response: HttpResponse, principal: Principal): void {
  const { elsewhere } = desk
  if (elsewhere === undefined) desk.streams.find(id, principal)
  receivePost(desk, request, response, principal, (_desk, message, headers, _principal, reply, body) => {
    const posted = { message, headers, principal, reply, body }
    if (elsewhere === undefined || desk.streams.has(id, principal)) hear(desk, id, posted)
    else takeOfSession(desk, elsewhere, id, posted, () => hear(desk, id, posted))
  })
}

/** Looks once more: the stream may have ended while the body was on its way. */
function hear(desk: Desk, id: string, { message, principal, reply, body }: Posted): void {
  const { conversation, owed } = desk.streams.find(id, principal)
  if (conversation.isClogged && isAsking(message)) {
    throw new McpError('policy.busy', 'Cannot take a request before more of the stream is read')
  }
  const fault = conversation.findFault(message)
  if (fault !== undefined) throw fault
  const handedOver = reply.handOver(body.length)
  const release = () => {
    if (owed.delete(release)) handedOver()
  }
  owed.add(release)
  reply.nothing(202)
  conversation.receive(message, body.length, release)
}

function isAsking(message: Frame | readonly Frame[]): boolean {
  const frames = Array.isArray(message) ? (message as readonly Frame[]) : [message as Frame] // one or many, as checked
  return frames.some(({ kind }) => kind === 'request')
}

/** As the official SDKs name it. */
const SESSION = 'sessionId'
