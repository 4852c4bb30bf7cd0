import type { IncomingHttpHeaders } from 'node:http'
import { nodeOfState } from '../../../bridge/parking/node-hint.ts'
import { parseFacts, type SessionFacts } from '../../../bridge/session-facts.ts'
import { McpError } from '../../../errors.ts'
import type { Frame } from '../../../jsonrpc/frame.ts'
import type { Principal } from '../../../protocol/call.ts'
import { NEWEST } from '../../../revisions/index.ts'
import type { Desk } from '../desk.ts'
import type { HttpReply } from '../reply.ts'
import { isSame } from '../session-table.ts'
import type { Elsewhere, Errand } from './elsewhere.ts'
import { isSessionId } from './elsewhere.ts'
import { answerLost, endBroken } from './lost.ts'

/** A POST as it was read. */
export interface Posted {
  readonly message: Frame | readonly Frame[]
  readonly headers: IncomingHttpHeaders
  readonly principal: Principal
  readonly reply: HttpReply
  readonly body: Uint8Array
}

/**
 * Takes a POST that is another process's, or may be. False: it is for this one, as nearly all of them are.
 * @param here what becomes of it when it turns out to be for this one
 */
export function takeElsewhere(
  desk: Desk,
  elsewhere: Elsewhere,
  posted: Posted,
  isEnveloped: boolean,
  here: (posted: Posted) => void,
): boolean {
  const { message, headers, principal } = posted
  if (isEnveloped) {
    const { params } = message as Frame & { readonly kind: 'request' } // an envelope is in the parameters of one
    const node = nodeOfState(params.requestState)
    if (node === undefined || node === elsewhere.node) return false
    guard(desk, posted, () => handBack(elsewhere, node, posted))
    return true
  }
  const id = sessionOf(desk, message, headers)
  if (id === undefined || (elsewhere.isSure && desk.sessions.has(id, principal))) return false
  takeOfSession(desk, elsewhere, id, posted, here)
  return true
}

/** Brings a POST to the session that it is of, wherever that is. */
export function takeOfSession(
  desk: Desk,
  elsewhere: Elsewhere,
  id: string,
  posted: Posted,
  here: (posted: Posted) => void,
): void {
  const { message, principal, reply, body } = posted
  guard(desk, posted, async () => {
    const { response } = reply
    const errand = { request: response.req, response, principal, body }
    const found = await bring(desk, elsewhere, id, errand)
    if (found === 'here') {
      reply.takeBack()
      here(posted)
    } else if (found !== 'answered') {
      // Errors are spelt alike in all revisions that have sessions.
      const revision = desk.served.handshakes[0] ?? NEWEST
      reply.takeBack()
      if (found === 'broken') endBroken(response, revision, message)
      else answerLost(reply, revision, message)
    }
  })
}

/**
 * Brings a request of a session to where that is, or the session to where the request is.
 * @returns what became of it; `here`: nothing yet, the session is here or nowhere
 * @throws {McpError} `policy.busy` where it cannot be told now where the session is
 */
export async function bring(
  desk: Desk,
  elsewhere: Elsewhere,
  id: string,
  errand: Errand,
): Promise<'here' | 'answered' | 'lost' | 'broken'> {
  if (!isSessionId(id)) return 'here'
  let gone: string | undefined
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    const found = await elsewhere.find(id)
    if (found === undefined || !isSame(found.record.principal, errand.principal)) return 'here'
    if (found.node === elsewhere.node) return 'here'
    if (found.isAlive && found.node !== gone) {
      desk.sessions.lose(id)
      const became = await elsewhere.forward(found.node, errand)
      if (became !== 'gone') return became
      gone = found.node
      continue
    }
    const facts = parseFacts(found.record)
    // One that was a stream ended with it.
    if (facts === undefined) return 'here'
    if (await takeOver(desk, elsewhere, id, found, facts, errand.principal)) return 'here'
  }
  throw new McpError('policy.busy', 'Cannot reach the session now; try again')
}

/** Those who come together wait for one another. */
function takeOver(
  desk: Desk,
  elsewhere: Elsewhere,
  id: string,
  found: Parameters<Elsewhere['adopt']>[1],
  facts: SessionFacts,
  principal: Principal,
): Promise<boolean> {
  const { arriving } = desk
  const under = arriving.get(id)
  if (under !== undefined) return under
  const arrival = (async () => {
    if (!(await elsewhere.adopt(id, found))) return false
    desk.sessions.adopt(id, facts, found.era + 1, principal)
    desk.served.log('info', 'session.adopted')
    return true
  })().finally(() => arriving.delete(id))
  arriving.set(id, arrival)
  return arrival
}

/** Hands an answer to where the call waits that asked. Where that is gone, the call is. */
async function handBack(elsewhere: Elsewhere, node: string, posted: Posted): Promise<void> {
  const { message, principal, reply, body } = posted
  const { response } = reply
  const became = await elsewhere.forward(node, { request: response.req, response, principal, body })
  if (became === 'answered') return
  reply.takeBack()
  if (became === 'broken') endBroken(response, NEWEST, message)
  else answerLost(reply, NEWEST, message)
}

/** The body is held until all is over, whoever answers. */
function guard(desk: Desk, { reply, body, message }: Posted, work: () => Promise<void>): void {
  const release = reply.handOver(body.length)
  reply.yield()
  work()
    .catch((error: unknown) => {
      if (reply.response.headersSent) {
        reply.response.destroy()
        return
      }
      reply.takeBack()
      if (!(error instanceof McpError)) desk.served.log('error', 'forward.failed', { error })
      reply.refuse(error, 'id' in message ? JSON.stringify(message.id) : undefined)
    })
    .finally(release)
}

/** The session that a message without an envelope is of, if of any. */
function sessionOf(desk: Desk, message: Frame | readonly Frame[], headers: IncomingHttpHeaders): string | undefined {
  const { 'mcp-session-id': id, 'mcp-protocol-version': version } = headers
  if (typeof id !== 'string' || desk.served.handshakes.length === 0) return undefined
  if (version !== undefined && desk.served.envelopes.has(String(version))) return undefined
  return (message as Frame).kind === 'request' && (message as Frame & { kind: 'request' }).method === 'initialize'
    ? undefined
    : id
}

/** A session that moves while it is looked for is looked for again. */
const MAX_TURNS = 4
