import type { Kind } from './catalog/kinds.ts'
import type { Offer } from './catalog/offer.ts'
import type { ReplicaStatus } from './upstreams/replicas/replica.ts'
import type { Served } from './upstreams/served.ts'
import type { UpstreamState } from './upstreams/state.ts'

/** Skills are counted where there are any. */
type Counts = Readonly<Record<Exclude<Kind, 'skills'>, number>> & { readonly skills?: number }

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
  readonly counts?: Counts
  /** The revision spoken, or last spoken. */
  readonly revision?: string
  /** What the server calls itself: for display only. */
  readonly server?: { readonly name: string; readonly version: string }
  /** Times it was brought back after it had been lost. */
  readonly restarts: number
  /** Its addresses or processes, where it has several: then `state` is that of all together. */
  readonly replicas?: readonly ReplicaStatus[]
}

export function toStatus(upstream: Served, offer: Offer | undefined): UpstreamStatus {
  const { name, config, state, since, remedy, revision, serverInfo, restarts, replicas } = upstream
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
    ...(replicas === undefined ? {} : { replicas }),
  }
}

function toCounts({ tools, resources, templates, prompts, skills }: Offer): Counts {
  return {
    tools: tools.length,
    resources: resources.length,
    templates: templates.length,
    prompts: prompts.length,
    ...(skills.length > 0 ? { skills: skills.length } : {}),
  }
}

/** Whether nothing of it can be used now. */
export function isAway({ state }: Pick<UpstreamStatus, 'state'>): boolean {
  return state !== 'ready' && state !== 'degraded'
}
