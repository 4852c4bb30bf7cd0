import { isObject } from '../jsonrpc/members.ts'
import type { Call, Result } from '../protocol/call.ts'
import type { Resource } from '../protocol/features/resources.ts'
import { withSafeIcons } from '../protocol/icons.ts'
import type { UriTemplate } from '../protocol/uri-template.ts'
import type { Context } from './context.ts'
import { OpenContext } from './context.ts'
import { parsePlaceCursor, toPlaceCursor } from './place-cursor.ts'
import { type Shelf, strangeCursor, toListResult } from './registry.ts'
import { type ResourceVersion, toVersionMembers } from './resource-version.ts'
import type { ServerSettings } from './settings.ts'

/**
 * Says which resources of a template there are, for `resources/list`: each by a URI the template matches, and with a
 * name. Asked for every page of the list, so answer from what is at hand. What fails is logged and left out.
 */
export type TemplateLister = (
  context: Pick<Context, 'call' | 'principal' | 'signal'>,
) => readonly ListedResource[] | Promise<readonly ListedResource[]>

/** How a resource is listed, and which state it is in. */
type ListedResource = Resource & ResourceVersion

interface Listing {
  readonly template: UriTemplate
  readonly mimeType: string | undefined
  readonly list: TemplateLister | undefined
}

/** Things that one place lists, of which nothing is known before they are looked at. */
interface Part {
  readonly entries: readonly unknown[]
  /** The resource as it is listed; undefined for what nobody could read. */
  readonly read: (entry: unknown) => Resource | undefined
  /** Tells the author that entries were left out of a page, or of the list. */
  readonly leftOut: (count: number) => void
}

/**
 * A page of all resources: those registered by their URI come first, then what each template lists. A cursor names the
 * last one of its page, so nothing is kept between two pages. Only what comes on a page is held against its template: of
 * what is before it nothing but the URIs is looked at. Of a URI that a template lists twice the first counts.
 */
export async function listWithTemplates(
  resources: Shelf<Resource, unknown>,
  templates: Shelf<unknown, Listing>,
  settings: ServerSettings,
  call: Call,
): Promise<Result> {
  const { cursor } = call.params
  const after = cursor === undefined ? undefined : parsePlaceCursor(LIST, cursor)
  if (cursor !== undefined && after === undefined) throw strangeCursor('resource')
  const registered: Part = { entries: toRegistered(resources), read: toItself, leftOut() {} }
  const listed = await Promise.all(templates.all().map((template) => askPart(template, settings, call)))
  const all = new Entries([registered, ...listed])
  const { items, end } = all.page(after === undefined ? 0 : all.placeAfter(after.key, after.place), settings.pageSize)
  const nextCursor = end < all.length ? toPlaceCursor(LIST, end, items.at(-1)?.uri) : undefined
  return toListResult({ items, nextCursor }, 'resources')
}

/** All entries of all parts, in one row. */
class Entries {
  readonly #parts: readonly Part[]
  readonly #entries: unknown[] = []
  /** Where each part ends. */
  readonly #ends: number[] = []

  constructor(parts: readonly Part[]) {
    this.#parts = parts
    for (const { entries, leftOut } of parts) {
      // What is registered is registered; the bound is for what is listed besides.
      const room = this.#ends.length === 0 ? entries.length : Math.max(0, MAX_LISTED - this.#entries.length)
      const left = Math.max(0, entries.length - room)
      for (const entry of left === 0 ? entries : entries.slice(0, room)) this.#entries.push(entry)
      if (left > 0) leftOut(left)
      this.#ends.push(this.#entries.length)
    }
  }

  get length(): number {
    return this.#entries.length
  }

  /** Behind the entry of this URI, which was before `place`; there, if it is gone. */
  placeAfter(uri: string, place: number): number {
    if (place > 0 && toUri(this.#entries[place - 1]) === uri) return place
    const before = this.#entries.findIndex((entry) => toUri(entry) === uri)
    return before === -1 ? Math.min(place, this.length) : before + 1
  }

  page(from: number, size: number): { readonly items: readonly Resource[]; readonly end: number } {
    const items: Resource[] = []
    /** Of each part so far: where each URI is first. */
    const firsts: Map<unknown, number>[] = []
    let at = 0
    for (const [index, part] of this.#parts.entries()) {
      const seen = new Map<unknown, number>()
      firsts.push(seen)
      let left = 0
      for (const end = this.#ends[index] ?? 0; at < end && items.length < size; at++) {
        const entry = this.#entries[at]
        const uri = toUri(entry)
        const isFirst = !seen.has(uri)
        if (isFirst) seen.set(uri, at)
        if (at < from) continue
        const item = part.read(entry)
        if (item === undefined) left++
        else if (isFirst && !this.#isListed(uri, firsts.slice(0, -1))) items.push(item)
      }
      if (left > 0) part.leftOut(left)
    }
    return { items, end: at }
  }

  /** What another part lists and nobody could read there hides nothing. */
  #isListed(uri: unknown, firsts: readonly ReadonlyMap<unknown, number>[]): boolean {
    return firsts.some((seen, index) => {
      const at = seen.get(uri)
      return at !== undefined && this.#parts[index]?.read(this.#entries[at]) !== undefined
    })
  }
}

function toRegistered(resources: Shelf<Resource, unknown>): readonly Resource[] {
  const registered: Resource[] = []
  for (let cursor: string | undefined; ; ) {
    const { items, nextCursor } = resources.page(cursor)
    registered.push(...items)
    if (nextCursor === undefined) return registered
    cursor = nextCursor
  }
}

/** Asks a template what it lists. One that fails must not hide the others. */
async function askPart({ template, mimeType, list }: Listing, settings: ServerSettings, call: Call): Promise<Part> {
  if (list === undefined) return NOTHING
  const context = new OpenContext(call, settings)
  const log = (error: unknown) =>
    settings.log({ level: 'error', event: 'template_list_failed', template: template.template, error })
  try {
    const entries: unknown = await list(context)
    if (!Array.isArray(entries)) throw new TypeError('The list of a template is to be a list, as in [{ uri, name }]')
    return {
      entries,
      read(entry) {
        try {
          return isOf(template, entry) ? toListed(entry, mimeType) : undefined
        } catch (error) {
          log(error)
          return undefined
        }
      },
      leftOut: (count) =>
        log(
          new TypeError(`${count} of ${entries.length} entries have no name, no URI of the template, or are too many`),
        ),
    }
  } catch (error) {
    log(error)
    return NOTHING
  } finally {
    context.end()
  }
}

function toListed(entry: Resource, mimeType: string | undefined): Resource {
  const { etag, revision, lastModified, ...resource } = withSafeIcons(entry)
  return {
    ...(mimeType === undefined ? {} : { mimeType }),
    ...resource,
    ...toVersionMembers({ ...resource, etag, revision, lastModified } as ListedResource), // checked by it
  }
}

/** What nobody could read is not listed. */
function isOf(template: UriTemplate, resource: unknown): resource is Resource {
  if (!isObject(resource)) return false
  const { uri, name } = resource
  if (typeof name !== 'string' || name === '' || typeof uri !== 'string' || uri.length > MAX_URI) return false
  return template.match(uri) !== undefined
}

function toUri(entry: unknown): unknown {
  return isObject(entry) ? entry.uri : undefined
}

/** What is registered was checked then. */
function toItself(entry: unknown): Resource {
  return entry as Resource
}

const NOTHING: Part = { entries: [], read: () => undefined, leftOut() {} }
/** As the cursors of this list begin. */
const LIST = 'resource'
/** Resources in one list. */
const MAX_LISTED = 10_000
/** Characters of a URI: a cursor has to hold it. */
const MAX_URI = 2_000
