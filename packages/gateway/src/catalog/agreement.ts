import { ALL_KINDS, type Kind, keyOf } from './kinds.ts'
import type { Offer } from './offer.ts'

/** What several replicas of one server offer together, and how one of them differs from it. */
export interface Agreement {
  /** What is listed: what most of them offer, of as many the first in the configuration. Undefined where none was met. */
  readonly offer: Offer | undefined
  /** For each, in their order; empty for one that agrees or was not met. */
  readonly differences: readonly Difference[]
}

export interface Difference {
  /** What differs, by kind and name: `tools: search`. A few, and how many more. */
  readonly named: readonly string[]
  /** Tools that are listed and not of it. */
  readonly lacks: ReadonlySet<string>
}

/**
 * @param offers those of the replicas, in the order of the configuration
 * @param before what was listed: it stays that very object where what is listed now is the same
 */
export function agree(offers: readonly (Offer | undefined)[], before?: Offer): Agreement {
  const texts = offers.map((offer) => (offer === undefined ? undefined : toText(offer)))
  const counts = new Map<string, number>()
  for (const text of texts) if (text !== undefined) counts.set(text, (counts.get(text) ?? 0) + 1)
  const most = Math.max(0, ...counts.values())
  const at = texts.findIndex((text) => text !== undefined && counts.get(text) === most)
  const offer = isSame(before, offers[at]) ? before : offers[at]
  const differences = offers.map((other, index) => {
    if (offer === undefined || other === undefined || texts[index] === texts[at]) return SAME
    return toDifference(offer, other)
  })
  return { offer, differences }
}

function isSame(before: Offer | undefined, offer: Offer | undefined): boolean {
  return before !== undefined && offer !== undefined && JSON.stringify(before) === JSON.stringify(offer)
}

/** In one order: replicas may list the same in any. */
function toText(offer: Offer): string {
  return JSON.stringify(
    ALL_KINDS.map((kind) => [...toTexts(kind, offer).entries()].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))),
  )
}

function toTexts(kind: Kind, offer: Offer): ReadonlyMap<string, string> {
  return new Map(offer[kind].map((item) => [keyOf(kind, item), JSON.stringify(item)]))
}

function toDifference(offer: Offer, other: Offer): Difference {
  const all = ALL_KINDS.flatMap((kind) => {
    const [ours, theirs] = [toTexts(kind, offer), toTexts(kind, other)]
    const names = [...new Set([...ours.keys(), ...theirs.keys()])].filter((name) => ours.get(name) !== theirs.get(name))
    return names.map((name) => `${kind}: ${name.slice(0, MAX_NAME)}`)
  })
  const theirs = toTexts('tools', other)
  const lacks = new Set(offer.tools.map((tool) => keyOf('tools', tool)).filter((name) => !theirs.has(name)))
  const more = all.length - MAX_NAMED
  return { named: more > 0 ? [...all.slice(0, MAX_NAMED), `and ${more} more`] : all, lacks }
}

const SAME: Difference = Object.freeze({ named: [], lacks: new Set<string>() })
const MAX_NAMED = 5
const MAX_NAME = 80
