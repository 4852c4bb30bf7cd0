import { ALL_KINDS, type Kind } from './catalog/kinds.ts'
import type { Offer } from './catalog/offer.ts'
import type { UpstreamState } from './upstreams/state.ts'
import type { Upstream } from './upstreams/upstream.ts'

/** What a person wants to know about one server. */
export interface UpstreamStatus {
  readonly name: string
  /** What stands before `__` in the names of its tools and prompts; empty where they stay as they are. */
  readonly prefix: string
  readonly title?: string
  readonly transport: 'stdio' | 'http' | 'sse'
  readonly state: UpstreamState['kind']
  /** ISO 8601; through all attempts to bring a server back, since when it is away. */
  readonly since: string
  /** Why it is in this state, a sentence without a final period. */
  readonly reason?: string
  /** What can be done about it, likewise. */
  readonly remedy?: string
  /** How many of each it offers, or offered when it was last there; undefined while it has not been met. */
  readonly counts?: Readonly<Record<Kind, number>>
  /** The revision spoken, or last spoken. */
  readonly revision?: string
  /** What the server calls itself: for display only. */
  readonly server?: { readonly name: string; readonly version: string }
  /** Times it was brought back after it had been lost. */
  readonly restarts: number
}

export function toStatus(upstream: Upstream, offer: Offer | undefined): UpstreamStatus {
  const { name, config, state, since, remedy, revision, serverInfo, restarts } = upstream
  return {
    name,
    prefix: config.prefix,
    ...(config.title === undefined ? {} : { title: config.title }),
    transport: config.transport.kind,
    state: state.kind,
    since,
    ...('reason' in state && state.reason !== undefined ? { reason: state.reason } : {}),
    ...(remedy === undefined ? {} : { remedy }),
    ...(offer === undefined ? {} : { counts: toCounts(offer) }),
    ...(revision === undefined ? {} : { revision }),
    ...(serverInfo === undefined ? {} : { server: { name: serverInfo.name, version: serverInfo.version } }),
    restarts,
  }
}

function toCounts(offer: Offer): Readonly<Record<Kind, number>> {
  const counts = { tools: 0, resources: 0, templates: 0, prompts: 0 }
  for (const kind of ALL_KINDS) counts[kind] = offer[kind].length
  return counts
}
