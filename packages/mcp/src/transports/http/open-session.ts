import type { Principal } from '../../protocol/call.ts'
import type { Implementation } from '../../protocol/capabilities.ts'
import type { Endpoint } from '../endpoint.ts'
import type { Desk } from './desk.ts'

/** A handshake session that is open, for whoever looks after a door. */
export interface OpenSession {
  /** A secret of its client: not to be shown. */
  readonly id: string
  /** At which endpoint. */
  readonly endpoint: Endpoint
  readonly principal: Principal
  /** `sse`: the transport of the oldest revision. */
  readonly transport: 'streamable' | 'sse'
  /** What was settled; absent where the transport comes before the handshake. */
  readonly revision?: string
  /** What its client calls itself. */
  readonly client?: Implementation
  /** How long its client has not come, in milliseconds; absent where its stream is all that keeps it. */
  readonly idleMs?: number
  /** Ends it and what it has open; its client may open another. */
  end(): void
}

export function* openSessionsOf(endpoint: Endpoint, { sessions, streams, served }: Desk): Generator<OpenSession> {
  for (const found of sessions.all()) {
    const { id, session, usedAt } = found
    const { revision, client } = session.facts
    yield {
      id,
      endpoint,
      principal: session.principal,
      transport: 'streamable',
      revision,
      ...(client === undefined ? {} : { client }),
      idleMs: served.clock.now() - usedAt,
      end: () => sessions.end(found),
    }
  }
  for (const [id, { principal, conversation }] of streams.all()) {
    yield { id, endpoint, principal, transport: 'sse', end: () => void conversation.close({ drainMs: 0 }) }
  }
}
