import type { Prompt, Resource, ResourceTemplate, Tool } from '@crosspoint/mcp'
import type { ExitKind } from '../exit.ts'
import { type Kind, LIST_METHODS, parseListing } from '../grammar/listing.ts'
import type { Io } from '../io.ts'
import type { Request } from '../options.ts'
import { asSaid } from '../print/as-said.ts'
import { toTable } from '../print/table.ts'
import { visibleSummary } from '../print/visible.ts'
import { withPeer } from '../targets/open.ts'
import { listAll, type Peer } from '../targets/peer.ts'

/** Lists what a target has. As JSON: one object with a member named after the kind. */
export async function ls(io: Io, { words, child, options }: Request): Promise<ExitKind> {
  const { kind, target } = parseListing(words, child)
  if (kind === 'servers') return (await import('./ls-servers.ts')).listServers(io, target, options)
  const listing = LISTINGS[kind]
  return withPeer(io, target, options, async (peer) => {
    const items = await listAll<never>(io, peer, LIST_METHODS[kind]) // the listing of a kind knows the shape of its items
    const { terminal } = io
    if (terminal.json) terminal.value({ [listing.key]: items, ...toUnavailable(peer) })
    else if (items.length > 0) {
      const toText = () =>
        toTable(
          items.map((item) => toRow(io, listing.row(item))),
          terminal.width,
        )
      terminal.data(asSaid(`the ${kind} of ${peer.title}`, toText))
    } else terminal.say(`${peer.title} has no ${kind}`)
    return 'ok'
  })
}

/** A list that is not whole says so: the configured servers whose things may be missing from it. */
function toUnavailable({ away = [] }: Peer): object {
  const unavailable = away
    .filter(({ state }) => state !== 'disabled')
    .map(({ name, state, reason }) => ({ name, state, ...(reason !== undefined && { reason }) }))
  return unavailable.length === 0 ? {} : { unavailable }
}

interface Listing {
  readonly key: string
  /** What identifies the item, and what is said about it. */
  readonly row: (item: never) => readonly [name: string, ...about: string[]]
}

const LISTINGS: Readonly<Record<Exclude<Kind, 'servers'>, Listing>> = {
  tools: {
    key: 'tools',
    row: (tool: Tool) => [tool.name, visibleSummary(tool.description ?? tool.title ?? '')],
  },
  resources: {
    key: 'resources',
    row: (resource: Resource) => [resource.uri, resource.mimeType ?? '', resource.title ?? resource.name],
  },
  templates: {
    key: 'resourceTemplates',
    row: (template: ResourceTemplate) => [
      template.uriTemplate,
      template.mimeType ?? '',
      visibleSummary(template.description ?? template.title ?? template.name),
    ],
  },
  prompts: {
    key: 'prompts',
    row: (prompt: Prompt) => [
      prompt.name,
      (prompt.arguments ?? []).map(({ name, required }) => (required === true ? name : `[${name}]`)).join(' '),
      visibleSummary(prompt.description ?? prompt.title ?? ''),
    ],
  },
}

function toRow({ terminal }: Io, [name, ...about]: readonly [string, ...string[]]) {
  return [{ text: name, paint: terminal.out.bold }, ...about.map((text) => ({ text, paint: terminal.out.dim }))]
}
