import type { Call, Handle } from '@crosspoint/mcp'
import type { RouteConfig, RouteMemberConfig } from '../config/model-routes.ts'
import { isReserved, toLiteralPrefix, toQualifiedUri } from './addresses.ts'
import { type Item, type Kind, keyOf } from './kinds.ts'
import { toMergedNames } from './names.ts'
import type { Offer } from './offer.ts'

/** Where a call can be sent. An upstream is one. */
export interface Destination {
  readonly name: string
  readonly handle: Handle
  /** The same for a call that nobody hurries: made as a task where the server makes one of it, and waited for. */
  readonly hold?: Handle
  /** Whether a call may find what it needs, were it sent now. Default: it may. */
  canTake?(call: Call): boolean
  /** Where tasks are asked for that only a part of it knows, by what their ids begin with. Default: anywhere. */
  readonly keepers?: ReadonlyMap<string, Destination> | undefined
  /** What is known of it, for telemetry. */
  readonly peer?: Peer
}

/** The other end of a connection. */
export interface Peer {
  readonly network: 'tcp' | 'pipe'
  readonly address?: string
  readonly port?: number
  /** The revision spoken, or last spoken. */
  readonly revision: string | undefined
}

/** One server as the catalog sees it. */
export interface Source {
  readonly destination: Destination
  /** What stands before `__` in the names of its tools and prompts. Default: its name; `''` leaves them as they are. */
  readonly prefix?: string
  /** Undefined until it was met for the first time: then it may offer anything. */
  readonly offer: Offer | undefined
  /** Whether a tool of that native name is offered at all. */
  readonly offersTool: (native: string) => boolean
}

/** One listed thing in the merged catalog. */
export interface Entry {
  readonly source: Source
  /** How its server calls it: name, URI or URI template. */
  readonly native: string
  /** How callers call it. */
  readonly name: string
  /** Its name in the catalog, where a view has given it another. */
  readonly merged?: string
  /** As its server listed it. The same object as long as it does not change. */
  readonly item: Item
  /** Of a tool that several servers offer: theirs. All else of it is that of the first. */
  readonly routed?: Routed
}

/** What stands behind a tool that several servers offer. */
export interface Routed {
  readonly config: RouteConfig
  /** In the order of the file; one at least. */
  readonly members: readonly RouteMember[]
}

export interface RouteMember {
  readonly config: RouteMemberConfig
  /** As it is in the catalog, listed or not. */
  readonly entry: Entry
}

/** Everything all servers offer, under names that are unique. Immutable; made anew when something changed. */
export interface Catalog extends Readonly<Record<Kind, readonly Entry[]>> {
  /** In the order of the configuration. */
  readonly sources: readonly Source[]
}

/** @param sources in the order of the configuration, which decides who keeps a URI that several offer */
export function buildCatalog(sources: readonly Source[]): Catalog {
  const uris = createUriClaims()
  const resources = toAddressed(sources, 'resources', uris)
  return {
    sources,
    tools: toNamed(sources, 'tools'),
    prompts: toNamed(sources, 'prompts'),
    resources,
    templates: toAddressed(sources, 'templates', createTemplateClaims()),
    skills: toAddressed(sources, 'skills', uris),
  }
}

function toNamed(sources: readonly Source[], kind: 'tools' | 'prompts'): readonly Entry[] {
  const things = sources.flatMap((source) =>
    (source.offer?.[kind] ?? [])
      .map((item) => ({ source, ...toOwner(source), native: keyOf(kind, item), item }))
      .filter(({ native }) => kind !== 'tools' || source.offersTool(native)),
  )
  const names = toMergedNames(things)
  return things.map(({ source, native, item }, at) => ({ source, native, item, name: names[at] ?? native }))
}

function toOwner({ destination: { name: server }, prefix = server }: Source) {
  return { server, prefix }
}

/** Says whether a server may keep a URI or template as it is, and remembers that it did. */
type Claim = (native: string, server: string) => boolean

function toAddressed(
  sources: readonly Source[],
  kind: 'resources' | 'templates' | 'skills',
  claim: Claim,
): readonly Entry[] {
  return sources.flatMap((source) => {
    const { name: server } = source.destination
    return (source.offer?.[kind] ?? []).map((item) => {
      const native = keyOf(kind, item)
      const keeps = !isReserved(native) && claim(native, server)
      return { source, native, item, name: keeps ? native : toQualifiedUri(server, native) }
    })
  })
}

function createUriClaims(): Claim {
  const owners = new Map<string, string>()
  return (uri, server) => {
    const owner = owners.get(uri)
    if (owner === undefined) owners.set(uri, server)
    return owner === undefined || owner === server
  }
}

/** Beginnings of templates, and all beginnings of those, by who claimed them: whether two may overlap in one look. */
function createTemplateClaims(): Claim {
  const whole = new Map<string, string>()
  const parts = new Map<string, string>()
  const add = (map: Map<string, string>, text: string, server: string) => {
    const owner = map.get(text)
    map.set(text, owner === undefined || owner === server ? server : SEVERAL)
  }
  return (template, server) => {
    const beginning = toLiteralPrefix(template).slice(0, MAX_COMPARED)
    const beginnings = Array.from({ length: beginning.length + 1 }, (_, length) => beginning.slice(0, length))
    const owners = [parts.get(beginning), ...beginnings.map((text) => whole.get(text))]
    if (owners.some((owner) => owner !== undefined && owner !== server)) return false
    add(whole, beginning, server)
    for (const text of beginnings) add(parts, text, server)
    return true
  }
}

/** No server has this name. */
const SEVERAL = '*'
/** Templates that begin alike for this long count as overlapping. */
const MAX_COMPARED = 128
