import type { RouteConfig } from '../config/model-routes.ts'
import type { Catalog, Entry, RouteMember, Source } from './catalog.ts'

/** Routes with what was found for them, and sentences about what was left out. */
export interface RoutedCatalog {
  readonly catalog: Catalog
  readonly problems: readonly string[]
}

/** Adds a tool for each route of which a server offers one, and takes those away that are to be had by it alone. */
export function withRoutes(catalog: Catalog, routes: ReadonlyMap<string, RouteConfig>): RoutedCatalog {
  if (routes.size === 0) return { catalog, problems: [] }
  const tools = new Map(catalog.tools.map((entry) => [entry.name, entry]))
  const hidden = new Set<string>()
  const made: Entry[] = []
  const problems: string[] = []
  for (const config of routes.values()) {
    const { members, leftOut } = toMembers(config, tools)
    for (const tool of leftOut) {
      problems.push(`The route "${config.name}" leaves out "${tool}", which takes other arguments than its first tool`)
    }
    const entry = toEntry(config, members)
    if (entry === undefined) continue
    if (tools.has(config.name) && !members.some(({ entry: { name } }) => name === config.name)) {
      problems.push(`The route "${config.name}" is left out: a server has a tool of that name`)
      continue
    }
    made.push(entry)
    if (config.hide) for (const { entry: member } of members) hidden.add(member.name)
  }
  const listed = catalog.tools.filter(({ name }) => !hidden.has(name))
  return { catalog: { ...catalog, tools: [...listed, ...made] }, problems }
}

/** A tool of a route as it is where only some servers are; undefined where none of them has it. */
export function within(entry: Entry, has: (source: Source) => boolean): Entry | undefined {
  const { routed } = entry
  if (routed === undefined) return has(entry.source) ? entry : undefined
  const members = routed.members.filter(({ entry: { source } }) => has(source))
  return members.length === routed.members.length ? entry : toEntry(routed.config, members)
}

/** To lists it is its first tool under a name of its own. */
function toEntry(config: RouteConfig, members: readonly RouteMember[]): Entry | undefined {
  const [first] = members
  if (first === undefined) return undefined
  const { source, native, item } = first.entry
  return { source, native, item, name: config.name, routed: { config, members } }
}

function toMembers({ tools: configs, unchecked }: RouteConfig, tools: ReadonlyMap<string, Entry>) {
  const found = configs.flatMap((config): RouteMember[] => {
    const entry = tools.get(config.tool)
    return entry === undefined ? [] : [{ config, entry }]
  })
  const [first] = found
  const schema = first === undefined ? '' : toSchemaText(first.entry)
  const members = unchecked ? found : found.filter(({ entry }) => toSchemaText(entry) === schema)
  const leftOut = found.filter((member) => !members.includes(member)).map(({ entry }) => entry.name)
  return { members, leftOut }
}

/** Of what a tool takes: without what is for people, in one order. */
function toSchemaText({ item }: Entry): string {
  return JSON.stringify(toPlain(item.inputSchema, false))
}

/** @param isNames its members are names of arguments, of which none is for people alone */
function toPlain(value: unknown, isNames: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => toPlain(item, false))
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).filter(([name]) => isNames || !FOR_PEOPLE.has(name))
  return members
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, inner]) => [name, toPlain(inner, !isNames && name === 'properties')])
}

const FOR_PEOPLE: ReadonlySet<string> = new Set(['title', 'description', 'examples', '$comment', '$schema'])
