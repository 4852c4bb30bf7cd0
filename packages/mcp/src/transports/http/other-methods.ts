import { McpError } from '../../errors.ts'
import type { Principal } from '../../protocol/call.ts'
import { parseAccept } from './accept.ts'
import type { Desk } from './desk.ts'
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
    if (method === 'DELETE') {
      endSession(desk, headers, principal)
      response.writeHead(200, { 'content-length': 0 }).end()
      return
    }
    if (!parseAccept(headers.accept).sse) {
      throw new McpError('peer.not_acceptable', 'Cannot answer in a form that "Accept" allows: an event stream')
    }
    openStream(desk, headers, principal, response)
  } catch (error) {
    new HttpReply(response, { json: true, sse: false }, desk.replies).refuse(error)
  }
}
