import type { OpenSession } from '@crosspoint/mcp/transports'
import type { Gateway } from '../gateway.ts'
import { digest } from '../node/digest.ts'

/** A session of a caller, as it may be shown. */
export interface FrontSession extends Omit<OpenSession, 'id' | 'endpoint'> {
  /** The first 32 digits of the SHA-256 of its id, as in the evidence. */
  readonly session: string
  /** Absent: the view of everything. */
  readonly view?: string
}

export function toFrontSessions(gateway: Gateway, open: readonly OpenSession[]): readonly FrontSession[] {
  const views = new Map([undefined, ...gateway.config.views.keys()].map((view) => [gateway.endpoint(view), view]))
  return open.map(({ id, endpoint, ...about }) => {
    const view = views.get(endpoint)
    return { ...about, session: digest(id, 32), ...(view === undefined ? {} : { view }) }
  })
}
