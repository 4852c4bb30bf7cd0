import { McpError } from '../../errors.ts'
import type { Principal } from '../../protocol/call.ts'
import { parseAccept } from './accept.ts'
import type { Desk } from './desk.ts'
import { bring } from './elsewhere/route.ts'
import type { HttpRequest, HttpResponse } from './exchange.ts'
import { endSession } from './handshaken.ts'
import { HttpReply } from './reply.ts'
import { openStream } from './streams.ts'

/** What is not a POST: with a session GET opens a stream and DELETE ends it. Everything else has no meaning here. */
export function receiveOther(desk: Desk, request: HttpRequest, response: HttpResponse, principal: Principal): void {
  const { method, headers } = request
  const hasSessions = desk.served.handshakes.length > 0
  const isModern = desk.served.envelopes.has(String(headers['mcp-protocol-version']))
  try {
    if (!hasSessions || isModern || (method !== 'GET' && method !== 'DELETE')) {
      response.setHeader('allow', hasSessions ? 'POST, GET, DELETE' : 'POST')
      throw new McpError('peer.wrong_http_method', `Cannot take "${method}" here`)
    }
    if (method === 'GET' && !parseAccept(headers.accept).sse) {
      throw new McpError('peer.not_acceptable', 'Cannot answer in a form that "Accept" allows: an event stream')
    }
    const { elsewhere } = desk
    const id = headers['mcp-session-id']
    const isHere =
      typeof id !== 'string' || elsewhere === undefined || (elsewhere.isSure && desk.sessions.has(id, principal))
    if (isHere) takeOther(desk, method, request, response, principal)
    else {
      const errand = { request, response, principal, body: undefined }
      bring(desk, elsewhere, id, errand)
        .then((became) => {
          if (became === 'here') takeOther(desk, method, request, response, principal)
          else if (became === 'broken') response.end()
          else if (became === 'lost') throw new McpError('policy.busy', 'Cannot reach the session now; try again')
        })
        .catch((error: unknown) => refuse(desk, response, error))
    }
  } catch (error) {
    refuse(desk, response, error)
  }
}

function takeOther(
  desk: Desk,
  method: string,
  request: HttpRequest,
  response: HttpResponse,
  principal: Principal,
): void {
  const { headers } = request
  if (method === 'GET') openStream(desk, headers, principal, response)
  else {
    endSession(desk, headers, principal)
    response.writeHead(200, { 'content-length': 0 }).end()
  }
}

function refuse(desk: Desk, response: HttpResponse, error: unknown): void {
  if (response.headersSent) response.destroy()
  else if (!response.destroyed) new HttpReply(response, { json: true, sse: false }, desk.replies).refuse(error)
}
