import { McpError } from '../../../errors.ts'
import type { Frame, Id } from '../../../jsonrpc/frame.ts'
import { toFailure } from '../../../peer/reply.ts'
import type { Revision } from '../../../revisions/revision.ts'
import type { HttpResponse } from '../exchange.ts'
import type { HttpReply } from '../reply.ts'
import { toEvent } from '../sse.ts'

/** What a caller is told whose call ended with the process it was in (PROTOCOL §15.6). */
export function exchangeLost(): McpError {
  return new McpError(
    'upstream.closed',
    'The exchange is lost: the process that held it is gone, and its outcome is unknown; start over',
    { data: { reason: 'exchange_lost' } },
  )
}

/** One answer each, as text. */
export function toLost(revision: Revision, ids: readonly Id[]): readonly string[] {
  return ids.map((id) => toFailure(revision, '', id, exchangeLost()).text)
}

export function idsOf(message: Frame | readonly Frame[]): readonly Id[] {
  const frames = Array.isArray(message) ? (message as readonly Frame[]) : [message as Frame] // one or many
  return frames.flatMap((frame) => (frame.kind === 'request' ? [frame.id] : []))
}

/** Answers requests that another process did not answer. */
export function answerLost(reply: HttpReply, revision: Revision, message: Frame | readonly Frame[]): void {
  const texts = toLost(revision, idsOf(message))
  if (texts.length === 0) reply.refuse(new McpError('policy.busy', 'Cannot hand on the message now; send it again'))
  else reply.answer({ text: Array.isArray(message) ? `[${texts.join()}]` : texts.join(), status: 200 })
}

/** The same on the event stream that it broke off. An answer that was sent already is not waited for any more. */
export function endBroken(response: HttpResponse, revision: Revision, message: Frame | readonly Frame[]): void {
  if (response.destroyed || response.writableEnded) return
  for (const text of toLost(revision, idsOf(message))) response.write(toEvent(text))
  response.end()
}
