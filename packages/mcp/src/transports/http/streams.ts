import type { IncomingHttpHeaders } from 'node:http'
import { McpError } from '../../errors.ts'
import { tooManyListen } from '../../peer/calls.ts'
import type { Principal } from '../../protocol/call.ts'
import type { Desk } from './desk.ts'
import { toLost } from './elsewhere/lost.ts'
import type { HttpResponse } from './exchange.ts'
import { findSession } from './handshaken.ts'
import { HttpReply, whenGone } from './reply.ts'
import type { Position } from './resume/event-id.ts'
import type { SessionStreams } from './resume/session-streams.ts'
import { attach, detach, type HttpSession, tellAgain, tellWaiting } from './session-table.ts'
import { EventStream } from './sse.ts'

/**
 * Answers a GET of a session: with the rest of the stream that `Last-Event-ID` is of, or with one for what belongs
 * to no request.
 */
export function openStream(
  desk: Desk,
  headers: IncomingHttpHeaders,
  principal: Principal,
  response: HttpResponse,
): void {
  const found = findSession(desk, headers, principal)
  if (response.socket === null) {
    throw new McpError('policy.limit', 'Cannot open a stream behind an unanswered request; use another connection')
  }
  const lastEventId = headers['last-event-id']
  const { resumable } = found
  if (resumable === undefined || lastEventId === undefined || lastEventId === '') {
    openStanding(desk, found, response)
    return
  }
  const position = resumable.find(String(lastEventId))
  resumable.checkRoom(position)
  const begin = resumable.isOrphan(position) ? resumeOrphan : resume
  begin(desk, found, resumable, position, response).catch((error: unknown) => {
    if (!response.destroyed) new HttpReply(response, { json: true, sse: false }, desk.replies).refuse(error)
  })
}

function openStanding(desk: Desk, found: HttpSession, response: HttpResponse): void {
  const { maxStreams } = desk.sessions
  if (found.streams.length >= maxStreams) {
    throw new McpError('policy.limit', `Cannot open another stream: this session has ${maxStreams}`)
  }
  const connection = toConnection(desk, found, response)
  hold(found, connection, response)
  found.resumable?.openStanding(connection)
  tellWaiting(found)
}

/**
 * Where nothing is held any more, the answer to a request is lost, and its client is told so. A stream for news
 * begins anew, with the latest of everything that was ever told: to the client it is a stream with a gap.
 */
async function resume(
  desk: Desk,
  found: HttpSession,
  resumable: SessionStreams,
  position: Position,
  response: HttpResponse,
): Promise<void> {
  const page = await resumable.read(position)
  if (response.destroyed) return
  if (resumable.isClosed) throw new McpError('caller.session_unknown', 'No such session; initialize again')
  if (page === undefined || !resumable.canTakeUp(position)) {
    if (!position.isStanding) throw notHeld()
    desk.served.log('info', 'stream.gap')
    tellAgain(found)
    openStanding(desk, found, response)
    return
  }
  const connection = toConnection(desk, found, response)
  if (position.isStanding) hold(found, connection, response)
  resumable.takeUp(position, connection, page)
  if (position.isStanding) tellWaiting(found)
}

/** Its process is gone, and what is told by now is all that there will be. */
async function resumeOrphan(
  desk: Desk,
  found: HttpSession,
  resumable: SessionStreams,
  position: Position,
  response: HttpResponse,
): Promise<void> {
  const connection = toConnection(desk, found, response)
  try {
    await resumable.takeUpOrphan(position, connection, (ids) => toLost(found.session.handshake.revision, ids))
  } catch (error) {
    desk.served.log('error', 'event_store.failed', { error })
    connection.drop()
  }
}

/** @throws {McpError} `policy.limit` where the caller has as many as one may have */
function toConnection(
  { replies, cut, listeners }: Desk,
  { session }: HttpSession,
  response: HttpResponse,
): EventStream {
  const { principal } = session
  if (listeners?.hasRoomFor(principal) === false) throw tooManyListen(listeners)
  if (listeners !== undefined) {
    listeners.add(principal)
    whenGone(response, () => listeners.remove(principal))
  }
  return new EventStream(response, replies.maxStreamBytes, cut)
}

function hold(found: HttpSession, connection: EventStream, response: HttpResponse): void {
  whenGone(response, () => detach(found, connection))
  attach(found, connection)
}

function notHeld(): McpError {
  return new McpError('peer.invalid_request', 'Cannot resume: what came after "Last-Event-ID" is not held any more')
}
