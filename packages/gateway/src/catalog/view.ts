import {
  type DiscoverResult,
  hasCapability,
  type JsonObject,
  MAX_MERGED_NAME,
  METHODS,
  REVISIONS,
  type ServerCapabilities,
  TASKS,
  toTaskTag,
} from '@crosspoint/mcp'
import type { ViewConfig } from '../config/model.ts'
import { toSelector } from '../config/selection.ts'
import { type Address, type AddressBook, createAddressBook } from './address-book.ts'
import type { Catalog, Destination, Entry, Source } from './catalog.ts'
import { toExtensions } from './extensions.ts'
import { mergeInstructions } from './instructions.ts'
import { ALL_KINDS, hasKind, KINDS, type Kind } from './kinds.ts'
import type { Offer } from './offer.ts'

import { type Pages, toPages } from './pages.ts'
import { toPublicItem } from './public-item.ts'
import { within } from './routes.ts'
import { withTaskSupport } from './task-support.ts'
import { withVia } from './via.ts'

/** What one endpoint offers at one moment. Immutable; the next moment has another. */
export interface View {
  /** Undefined for the view of everything, at `/mcp`. */
  readonly name: string | undefined
  /** For people; the name where none is configured. Undefined for the view of everything. */
  readonly title: string | undefined
  /** Public name, URI or template -> what it stands for. */
  readonly entries: Readonly<Record<Kind, ReadonlyMap<string, Entry>>>
  readonly pages: Readonly<Record<Kind, Pages>>
  /** The tools for callers who decide themselves which calls become tasks. */
  readonly taskTools: Pages
  /** The same lists as another gateway is told them: each item says by which way it came. */
  readonly listingFor: (mark: string) => Pick<View, 'pages' | 'taskTools'>
  /** By what the ids of its tasks begin with. */
  readonly taskHolders: ReadonlyMap<string, Destination>
  readonly book: AddressBook
  readonly discover: DiscoverResult
  /** Methods that mean something here: those whose capability is announced. */
  readonly methods: ReadonlySet<string>
  /** Public names that an explicit rename took from a tool, which goes by another name now. */
  readonly displaced: readonly string[]
  /** The part of it that a caller may see, which is a view like any other. */
  readonly narrow: (allowed: Allowed) => View
  /** Tools that stand behind others, by their merged names; undefined where there are none. */
  readonly behind?: View | undefined
}

/** A view, ready to be applied to catalogs: its patterns are compiled. */
export type Lens = (catalog: Catalog) => View

/** @param config undefined gives the view of everything */
export function createLens(config: ViewConfig | undefined, pageSize: number): Lens {
  const selects: Record<Kind, (name: string) => boolean> = {
    tools: toSelector(config?.tools ?? {}),
    prompts: toSelector(config?.prompts ?? {}),
    resources: toSelector(config?.resources ?? {}),
    templates: toSelector(config?.resources ?? {}),
    skills: toSelector(config?.resources ?? {}),
  }
  const hasServer = (source: Source) => config?.servers?.includes(source.destination.name) ?? true
  const describe = config?.describe ?? NONE

  return (catalog) => {
    const sources = catalog.sources.filter(hasServer)
    const select = (kind: Kind) =>
      catalog[kind].flatMap((entry) => (selects[kind](entry.name) ? (within(entry, hasServer) ?? []) : []))
    const renamed = rename(select('tools'), config?.rename ?? NONE)
    const lists: Lists = {
      tools: renamed.entries,
      prompts: select('prompts'),
      resources: select('resources'),
      templates: select('templates'),
      skills: select('skills'),
    }
    const book = createAddressBook(sources, lists, selects.resources)
    const items = new Map<Entry, JsonObject>()
    /** Made once, for all who see it. */
    const toShown = (kind: Kind, entry: Entry) => {
      const known = items.get(entry)
      if (known !== undefined) return known
      const text = kind === 'tools' ? describe.get(entry.merged ?? entry.name) : undefined
      const made = toPublicItem(kind, entry, text, book)
      items.set(entry, made)
      return made
    }
    const { name, title = name, description } = config ?? {}
    const make = (shown: Omit<Shown, 'toItem' | 'pageSize'>): Omit<View, 'narrow'> => {
      const discover = toDiscover(shown.sources, description)
      const hasTasks = discover.capabilities.extensions?.[TASKS] !== undefined
      const toListing = (toItem: Shown['toItem']) => toListings({ ...shown, toItem, pageSize }, hasTasks)
      let marked: Listing | undefined
      return {
        name,
        title,
        entries: toKind((kind) => new Map(shown.lists[kind].map((entry) => [entry.name, entry]))),
        ...toListing(toShown),
        listingFor(mark) {
          marked ??= toListing((kind, entry) => withVia(toShown(kind, entry), entry.item, mark))
          return marked
        },
        taskHolders: new Map(shown.sources.flatMap(toTaskHolders)),
        book: shown.book,
        discover,
        methods: toMethods(discover.capabilities),
        displaced: renamed.displaced,
      }
    }
    const narrow = (allowed: Allowed): View => {
      const some = toKind((kind) => lists[kind].filter((entry) => allowed.entry(kind, entry)))
      const listing = new Set(ALL_KINDS.flatMap((kind) => some[kind].flatMap(toSources)))
      const listed = new Set(ALL_KINDS.flatMap((kind) => lists[kind].map(({ source }) => source)))
      const hasAny = (source: Source) => listing.has(source) || (!listed.has(source) && allowed.source(source))
      const part = { sources: sources.filter(hasAny), lists: some, book: narrowBook(book, allowed) }
      return withBehind({ ...make(part), narrow })
    }
    return withBehind({ ...make({ sources, lists, book }), narrow })
  }
}

function toTaskHolders({ destination }: Source): readonly (readonly [tag: string, Destination])[] {
  return [[toTaskTag(destination.name), destination], ...(destination.keepers ?? [])]
}

function toSources({ source, routed }: Entry): readonly Source[] {
  return routed === undefined ? [source] : routed.members.map(({ entry }) => entry.source)
}

/** What stands behind tools is found by who sends calls there, and by no caller. */
function withBehind(view: View): View {
  const members = [...view.entries.tools.values()].flatMap(({ routed }) => routed?.members ?? [])
  if (members.length === 0) return view
  const tools = new Map(members.map(({ entry }) => [entry.name, entry]))
  const entries = { tools, prompts: NONE_LISTED, resources: NONE_LISTED, templates: NONE_LISTED, skills: NONE_LISTED }
  const behind: View = { ...view, entries, narrow: () => behind }
  return { ...view, behind }
}

const NONE_LISTED: ReadonlyMap<string, Entry> = new Map()

/** What a caller may see of a view. */
export interface Allowed {
  readonly entry: (kind: Kind, entry: Entry) => boolean
  /** Something at an address, listed or not. */
  readonly uri: (uri: string, address: Address) => boolean
  /** Something of a server that lists nothing. */
  readonly source: (source: Source) => boolean
}

/** Who has what is as it was: what may not be seen is not found, and found nowhere else. */
function narrowBook(book: AddressBook, allowed: Allowed): AddressBook {
  const isAllowed = (found: Address) => allowed.uri(book.toPublic(found.source.destination, found.native), found)
  return {
    find(uri) {
      const found = book.find(uri)
      return found !== undefined && isAllowed(found) ? found : undefined
    },
    toPublic: book.toPublic,
    hides(uri) {
      const found = book.find(uri)
      return found !== undefined && !isAllowed(found)
    },
  }
}

type Lists = Readonly<Record<Kind, readonly Entry[]>>
type Listing = Pick<View, 'pages' | 'taskTools'>

/** Of what lists are made. */
interface Shown {
  readonly sources: readonly Source[]
  readonly lists: Lists
  readonly book: AddressBook
  readonly toItem: (kind: Kind, entry: Entry) => JsonObject
  readonly pageSize: number
}

function toListings({ sources, lists, toItem, pageSize }: Shown, hasTasks: boolean): Listing {
  const toKindPages = (kind: Kind, item: (entry: Entry) => JsonObject) => {
    const names = lists[kind].map(({ name }) => name)
    return toPages(KINDS[kind].listKey, lists[kind].map(item), names, pageSize, toHints(kind, sources))
  }
  const pages = toKind((kind) => toKindPages(kind, (entry) => toItem(kind, entry)))
  const toTaskTool = (entry: Entry) => withTaskSupport(toItem('tools', entry), entry)
  return { pages, taskTools: hasTasks ? toKindPages('tools', toTaskTool) : pages.tools }
}

function toKind<T>(make: (kind: Kind) => T): Readonly<Record<Kind, T>> {
  return {
    tools: make('tools'),
    prompts: make('prompts'),
    resources: make('resources'),
    templates: make('templates'),
    skills: make('skills'),
  }
}

/** Which lists differ between two moments of one view, as far as a caller can see. */
export function toChangedKinds(before: View, after: View): readonly Kind[] {
  return ALL_KINDS.filter((kind) => {
    const old = before.entries[kind]
    if (old.size !== after.entries[kind].size) return true
    const olds = old.values()
    for (const { name, item } of after.entries[kind].values()) {
      const { value } = olds.next()
      if (value === undefined || value.name !== name || value.item !== item) return true
    }
    return false
  })
}

/**
 * A list whose changes are all told may be kept for a while by those who listen, each for itself (PROTOCOL §15.3). Of any
 * other nobody knows how long it holds.
 */
function toHints(kind: Kind, sources: readonly Source[]): JsonObject {
  const areTold = sources.every(({ offer }) => offer?.told.includes(kind) === true || hasNone(kind, offer))
  return areTold ? { ttlMs: TTL_MS, cacheScope: 'private' } : {}
}

/** It never said that it has such things. */
function hasNone(kind: Kind, offer: Offer | undefined): boolean {
  return offer !== undefined && !hasKind(offer.capabilities, kind)
}

const TTL_MS = 60_000

interface Renamed {
  readonly entries: readonly Entry[]
  readonly displaced: readonly string[]
}

/** A name given in the configuration wins; whoever would have had it by itself gets the next free one. */
function rename(entries: readonly Entry[], names: ReadonlyMap<string, string>): Renamed {
  if (names.size === 0) return { entries, displaced: [] }
  const given = new Map<string, string>() // name here -> merged name
  for (const { name } of entries) {
    const wanted = names.get(name)
    if (wanted !== undefined && !given.has(wanted)) given.set(wanted, name)
  }
  const displaced: string[] = []
  const taken = new Set([...given.keys(), ...entries.map(({ name }) => name)])
  const renamed = entries.map((entry) => {
    const wanted = names.get(entry.name)
    let name = wanted !== undefined && given.get(wanted) === entry.name ? wanted : entry.name
    if (given.has(name) && given.get(name) !== entry.name) {
      displaced.push(name)
      name = toFree(name, taken)
      taken.add(name)
    }
    if (name === entry.name) return entry
    return { ...entry, name, merged: entry.name }
  })
  return { entries: renamed, displaced }
}

function toFree(name: string, taken: ReadonlySet<string>): string {
  for (let count = 2; ; count++) {
    const suffix = `_${count}`
    const candidate = name.slice(0, MAX_MERGED_NAME - suffix.length) + suffix
    if (!taken.has(candidate)) return candidate
  }
}

function toDiscover(sources: readonly Source[], description: string | undefined): DiscoverResult {
  const instructions = mergeInstructions(sources, description)
  return Object.freeze({
    supportedVersions: REVISIONS.map(({ name }) => name),
    capabilities: toCapabilities(sources),
    ...(instructions === undefined ? {} : { instructions }),
  })
}

/**
 * Every list is announced, were it empty: callers of handshake revisions ask only once, and a server that is slow, or
 * that a reload brings, may have any. The rest is the union of what the servers have.
 */
function toCapabilities(sources: readonly Source[]): ServerCapabilities {
  const has = (path: string) =>
    sources.some(({ offer }) => offer !== undefined && hasCapability(offer.capabilities, path))
  const watched = { listChanged: true }
  return {
    tools: watched,
    resources: has('resources.subscribe') ? { subscribe: true, ...watched } : watched,
    prompts: watched,
    ...(has('completions') ? { completions: {} } : {}),
    ...(has('logging') ? { logging: {} } : {}),
    ...toExtensions(sources),
  }
}

function toMethods(capabilities: ServerCapabilities): ReadonlySet<string> {
  const served = [...METHODS.values()].filter(({ kind, from, capability, extension }) => {
    if (kind !== 'request' || from === 'server') return false
    if (extension !== undefined) return capabilities.extensions?.[extension] !== undefined
    return capability === undefined || hasCapability(capabilities, capability)
  })
  return new Set(served.map(({ name }) => name))
}

const NONE: ReadonlyMap<string, string> = new Map()
