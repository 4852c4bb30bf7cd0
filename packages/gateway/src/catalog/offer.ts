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
 * it was made in, or change what is there. The latest session tells; what it adds follows.
 */
export function withSessions(own: Offer | undefined, sessions: Iterable<Offer>): Offer | undefined {
  let offer = own
  for (const more of sessions) offer = offer === undefined ? more : merge(offer, more)
  return offer
}

function merge(offer: Offer, more: Offer): Offer {
  let made = offer
  for (const kind of ALL_KINDS) {
    const items = new Map(offer[kind].map((item) => [keyOf(kind, item), item]))
    let isOther = false
    for (const item of more[kind]) {
      const key = keyOf(kind, item)
      if (items.get(key) === item) continue // an item that is equal to one of ours is that very object
      items.set(key, item)
      isOther = true
    }
    if (isOther) made = { ...made, [kind]: [...items.values()] }
  }
  return made
}
