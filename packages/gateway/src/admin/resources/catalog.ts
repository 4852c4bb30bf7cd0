import type { Principal } from '@crosspoint/mcp'
import type { Entry } from '../../catalog/catalog.ts'
import { ALL_KINDS, KINDS, type Kind } from '../../catalog/kinds.ts'
import type { View } from '../../catalog/view.ts'
import type { Gateway } from '../../gateway.ts'
import type { AdminNeeds, Handlers } from '../needs.ts'
import { Problem } from '../problem.ts'

/** What a search and a look have in common. */
interface Eyes {
  readonly view?: string | undefined
  readonly as?: string | undefined
  readonly tenant?: string | undefined
  readonly roles?: readonly string[] | undefined
  readonly scopes?: readonly string[] | undefined
}

export function createCatalogHandlers({
  gateway,
}: AdminNeeds): Pick<Handlers, 'listViews' | 'searchCatalog' | 'readCatalogItem'> {
  return {
    listViews: () => ({ views: [undefined, ...gateway.config.views.keys()].map((name) => toView(gateway, name)) }),
    searchCatalog: ({ query }) => {
      const { kind, server, search, limit, cursor } = query
      const view = see(gateway, query)
      const words = search?.toLowerCase()
      const all = (kind === undefined ? ALL_KINDS : [kind])
        .flatMap((one) => [...view.entries[one].values()].map((entry) => toItem(one, entry)))
        .filter((item) => server === undefined || item.server === server)
        .filter((item) => words === undefined || toSearched(item).includes(words))
      const from = toOffset(cursor)
      const items = all.slice(from, from + limit)
      return { items, total: all.length, ...(from + limit < all.length ? { next: String(from + limit) } : {}) }
    },
    readCatalogItem: ({ query }) => {
      const { kind, name } = query
      const view = see(gateway, query)
      const entry = view.entries[kind].get(name)
      if (entry === undefined) throw new Problem('not_found', 'Nothing of this kind has this name here')
      return { ...toItem(kind, entry), definition: toDefinition(view, kind, name) ?? entry.item }
    },
  }
}

function see(gateway: Gateway, eyes: Eyes): View {
  const view = gateway.offered(eyes.view, toPrincipal(eyes))
  if (view !== undefined) return view
  throw new Problem('not_found', 'No view has this name', { hint: 'GET /api/v1/views lists them' })
}

function toPrincipal({ as: id, tenant = 'default', roles = [], scopes }: Eyes): Principal | undefined {
  if (id === undefined) return undefined
  return { id, tenant, ...(scopes === undefined ? {} : { scopes }), attributes: { roles: [...roles] } }
}

function toView(gateway: Gateway, name: string | undefined) {
  const view = gateway.offered(name)
  const { title, description, servers } = (name === undefined ? undefined : gateway.config.views.get(name)) ?? {}
  const count = (kind: Kind) => view?.entries[kind].size ?? 0
  return {
    ...(name === undefined ? {} : { name }),
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    path: name === undefined ? '/mcp' : `/mcp/${name}`,
    servers: servers ?? [...gateway.config.servers.keys()],
    counts: {
      tools: count('tools'),
      prompts: count('prompts'),
      resources: count('resources'),
      templates: count('templates'),
      skills: count('skills'),
    },
  }
}

function toItem(kind: Kind, { name, native, source, item }: Entry) {
  const { title, description } = item
  return {
    kind,
    name,
    server: source.destination.name,
    native,
    // Text of a server, as it is: whoever shows it has to treat it as such.
    ...(typeof title === 'string' ? { title } : {}),
    ...(typeof description === 'string' ? { description } : {}),
  }
}

/** As it stands in the list, of whichever page. */
function toDefinition({ pages }: View, kind: Kind, name: string): Readonly<Record<string, unknown>> | undefined {
  const { key, listKey } = KINDS[kind]
  let cursor: unknown
  do {
    const page: Readonly<Record<string, unknown>> = pages[kind].page(cursor)
    const items = page[listKey]
    const found = Array.isArray(items)
      ? items.find((item) => (item as Readonly<Record<string, unknown>>)[key] === name)
      : undefined
    if (found !== undefined) return found as Readonly<Record<string, unknown>>
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return undefined
}

function toSearched({ name, title = '', description = '' }: ReturnType<typeof toItem>): string {
  return `${name}\n${title}\n${description}`.toLowerCase()
}

export function toOffset(cursor: string | undefined): number {
  if (cursor === undefined) return 0
  if (/^\d{1,9}$/.test(cursor)) return Number(cursor)
  throw new Problem('invalid_request', 'The cursor is not one of ours', { hint: 'Send `next` of the page before' })
}
