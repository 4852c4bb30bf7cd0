import { isObject } from '../jsonrpc/members.ts'
import type { Call, Result } from '../protocol/call.ts'
import type { Resource } from '../protocol/features/resources.ts'
import { withSafeIcons } from '../protocol/icons.ts'
import type { UriTemplate } from '../protocol/uri-template.ts'
import type { Context } from './context.ts'
import { OpenContext } from './context.ts'
import { fromPlaceCursor, toPlaceCursor } from './place-cursor.ts'
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

/**
 * A page of all resources: those registered by their URI come first, then what each template lists. A cursor names the
 * last one of its page, so nothing is kept between two pages.
 */
export async function listWithTemplates(
  resources: Shelf<Resource, unknown>,
  templates: Shelf<unknown, Listing>,
  settings: ServerSettings,
  call: Call,
): Promise<Result> {
  const all = new Map(toRegistered(resources).map((resource) => [resource.uri, resource]))
  const lists = await Promise.all(templates.all().map((template) => toListed(template, settings, call)))
  for (const resource of lists.flat()) {
    if (all.size >= MAX_LISTED) break
    if (!all.has(resource.uri)) all.set(resource.uri, resource)
  }
  const { cursor } = call.params
  const uris = [...all.keys()]
  const from = cursor === undefined ? 0 : fromPlaceCursor(LIST, uris, cursor)
  if (from === undefined) throw strangeCursor('resource')
  const end = from + settings.pageSize
  const nextCursor = end < uris.length ? toPlaceCursor(LIST, end, uris[end - 1]) : undefined
  return toListResult({ items: [...all.values()].slice(from, end), nextCursor }, 'resources')
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

/** One that fails must not hide the others. */
async function toListed(
  { template, mimeType, list }: Listing,
  settings: ServerSettings,
  call: Call,
): Promise<readonly Resource[]> {
  if (list === undefined) return []
  const context = new OpenContext(call, settings)
  const log = (error: unknown) =>
    settings.log({ level: 'error', event: 'template_list_failed', template: template.template, error })
  try {
    const listed: unknown = await list(context)
    if (!Array.isArray(listed)) throw new TypeError('The list of a template is to be a list, as in [{ uri, name }]')
    const good = listed.slice(0, MAX_LISTED).filter((resource) => isOf(template, resource))
    const left = listed.length - good.length
    if (left > 0)
      log(new TypeError(`${left} of ${listed.length} entries have no name, no URI of the template, or are too many`))
    const typed = mimeType === undefined ? {} : { mimeType }
    return good.map(withSafeIcons).map(({ etag, revision, lastModified, ...resource }) => ({
      ...typed,
      ...resource,
      ...toVersionMembers({ ...resource, etag, revision, lastModified } as ListedResource), // checked by it
    }))
  } catch (error) {
    log(error)
    return []
  } finally {
    context.end()
  }
}

/** What nobody could read is not listed. */
function isOf(template: UriTemplate, resource: unknown): resource is Resource {
  if (!isObject(resource)) return false
  const { uri, name } = resource
  if (typeof name !== 'string' || name === '' || typeof uri !== 'string' || uri.length > MAX_URI) return false
  return template.match(uri) !== undefined
}

/** As the cursors of this list begin. */
const LIST = 'resource'
/** Resources in one list. */
const MAX_LISTED = 10_000
/** Characters of a URI: a cursor has to hold it. */
const MAX_URI = 2_000
