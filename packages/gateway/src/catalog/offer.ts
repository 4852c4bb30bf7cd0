import type { ServerCapabilities } from '@crosspoint/mcp'
import { ALL_KINDS, type Item, type Kind, keyOf } from './kinds.ts'

/** What one server offers, as last learnt. Kept while it is away. An unchanged item is the same object as before. */
export interface Offer extends Readonly<Record<Kind, readonly Item[]>> {
  readonly capabilities: ServerCapabilities
  readonly instructions: string | undefined
  /** Lists of whose changes the server tells. Others are read again from time to time. */
  readonly told: readonly Kind[]
  /** Its tools say whether calls of them can become tasks; of those that say nothing none can. Default: it has no such words. */
  readonly saysTasks?: boolean
}

/**
 * What a server offers, where sessions with it show more than we saw by ourselves: a call may bring tools into the session
 * it was made in. What all have is as we saw it; the rest follows in the order of the sessions.
 */
export function withSessions(own: Offer | undefined, sessions: Iterable<Offer>): Offer | undefined {
  let offer = own
  for (const more of sessions) offer = offer === undefined ? more : union(offer, more)
  return offer
}

function union(offer: Offer, more: Offer): Offer {
  let made = offer
  for (const kind of ALL_KINDS) {
    const known = new Set(offer[kind].map((item) => keyOf(kind, item)))
    const others = more[kind].filter((item) => !known.has(keyOf(kind, item)))
    if (others.length > 0) made = { ...made, [kind]: [...offer[kind], ...others] }
  }
  return made
}
