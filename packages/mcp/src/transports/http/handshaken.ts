import type { IncomingHttpHeaders } from 'node:http'
import { shakeHands } from '../../bridge/handshake.ts'
import { McpError } from '../../errors.ts'
import { encodeResult } from '../../jsonrpc/encode.ts'
import type { Frame, RequestFrame } from '../../jsonrpc/frame.ts'
import { shown } from '../../jsonrpc/shown.ts'
import { BatchWay, isMixed } from '../../peer/batch.ts'
import { toFailure } from '../../peer/reply.ts'
import type { Principal } from '../../protocol/call.ts'
import { findRevision, NEWEST_HANDSHAKE } from '../../revisions/index.ts'
import type { Desk } from './desk.ts'
import { idsOf } from './elsewhere/lost.ts'
import type { HttpReply } from './reply.ts'
import type { HttpSession } from './session-table.ts'

/** Answers `initialize` and opens the session, whose id goes out with the answer. */
export async function answerInitialize(
  desk: Desk,
  frame: RequestFrame,
  principal: Principal,
  reply: HttpReply,
): Promise<void> {
  const { served, sessions } = desk
  const { response } = reply
  const leaving = new AbortController()
  const overdue = served.clock.setTimer(served.callTimeoutMs, () =>
    leaving.abort(new McpError('upstream.timeout', 'Cannot initialize in time')),
  )
  try {
    const opened = await sessions.open(principal, (id) =>
      shakeHands(served, frame.params, principal, id, leaving.signal),
    )
    if (response.destroyed) {
      sessions.end(opened)
      reply.release()
      return
    }
    response.setHeader('mcp-session-id', opened.id)
    reply.answer({ text: encodeResult(frame.id, opened.session.handshake.result), status: 200 })
  } catch (error) {
    if (error instanceof McpError && (error.code === 'policy.busy' || error.code === 'policy.limit'))
      reply.refuse(error, JSON.stringify(frame.id))
    else reply.answer(toFailure(served.handshakes[0] ?? NEWEST_HANDSHAKE, frame.method, frame.id, error))
  } finally {
    overdue.cancel()
  }
}

/**
 * Takes the messages of one POST of a session.
 * @throws {McpError} for a session that is not the caller's, or a batch where there are none
 */
export function takeMessages(
  desk: Desk,
  message: Frame | readonly Frame[],
  headers: IncomingHttpHeaders,
  principal: Principal,
  reply: HttpReply,
): void {
  const { session, resumable } = findSession(desk, headers, principal)
  reply.streams = resumable
  if (desk.endpoint.elsewhere !== undefined) reply.asked = idsOf(message)
  if (!isBatch(message)) {
    // A client may hang up and still want the answer; only `notifications/cancelled` says otherwise.
    if (message.kind === 'request') session.request(message, reply)
    else {
      takeUnanswered(session, message)
      reply.nothing(202)
    }
    return
  }
  const { revision } = session.handshake
  if (!revision.traits.batching) {
    throw new McpError('peer.invalid_request', `Cannot take a batch in a session of revision ${revision.name}`)
  }
  if (isMixed(message)) throw new McpError('peer.invalid_request', 'Cannot take a batch of requests and responses')
  const requests = message.filter((frame) => frame.kind === 'request')
  for (const frame of message) takeUnanswered(session, frame)
  if (requests.length === 0) reply.nothing(202)
  const batch = new BatchWay(reply, requests.length)
  for (const frame of requests) session.request(frame, batch)
}

/** Ends a session at its client's wish. */
export function endSession(desk: Desk, headers: IncomingHttpHeaders, principal: Principal): void {
  desk.sessions.end(findSession(desk, headers, principal))
}

/**
 * The session a request belongs to.
 * @throws {McpError} for none, for one that is not the caller's, or for a version that none of ours could speak
 */
export function findSession(desk: Desk, headers: IncomingHttpHeaders, principal: Principal): HttpSession {
  const id = headers['mcp-session-id']
  const found = desk.sessions.find(typeof id === 'object' ? id.join() : id, principal)
  found.session.meet(principal)
  const { revision } = found.session.handshake
  if (revision.traits.versionHeader !== 'none') checkVersionHeader(desk, headers['mcp-protocol-version'])
  return found
}

/** Absent is fine: the session knows. A version that no session of ours could speak is not. */
function checkVersionHeader(desk: Desk, header: string | readonly string[] | undefined): void {
  if (header === undefined) return
  const revision = findRevision(String(header))
  if (revision !== undefined && desk.served.handshakes.includes(revision)) return
  throw new McpError('peer.invalid_request', `Cannot speak "${shown(String(header))}", as "MCP-Protocol-Version" says`)
}

/** An answer that nobody waits for comes late, which is nobody's fault: it is taken like any other. */
function takeUnanswered(session: HttpSession['session'], frame: Frame): void {
  if (frame.kind === 'notification') session.notification(frame)
  else if (frame.kind !== 'request') session.reply(frame)
}

function isBatch(message: Frame | readonly Frame[]): message is readonly Frame[] {
  return Array.isArray(message)
}
