import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'
import { shown } from '../jsonrpc/shown.ts'
import type { Call, Result } from '../protocol/call.ts'
import type { ResourceContents } from '../protocol/features/content.ts'
import { ETAG, IF_NONE_MATCH, LAST_MODIFIED, NOT_MODIFIED, REVISION } from '../protocol/resource-version.ts'

/** Which state of a resource this is. After a change: `registration.update(…)`, then `server.resourceUpdated(uri)`. */
export interface ResourceVersion {
  /** When it last changed: a Date, or a time as ISO 8601. */
  readonly lastModified?: Date | string
  /** A text that is another one whenever the contents are: a digest, say. A caller who has it need not read again. */
  readonly etag?: string
  /** Your own name or number for this state. */
  readonly revision?: string | number
}

interface Annotated {
  readonly annotations?: JsonObject
  readonly _meta?: JsonObject
}

/** The members by which a list says which state this is, merged with those it has already. */
export function toVersionMembers(version: ResourceVersion & Annotated): Annotated {
  const { lastModified, annotations, _meta } = version
  const { [LAST_MODIFIED]: _, ...meta } = toVersionMeta(version) ?? {}
  return {
    ...(lastModified === undefined ? {} : { annotations: { ...annotations, lastModified: toTime(lastModified) } }),
    ...(Object.keys(meta).length === 0 ? {} : { _meta: { ..._meta, ...meta } }),
  }
}

/** What contents say of it in `_meta`; undefined where that is nothing. */
export function toVersionMeta({ etag, revision, lastModified }: ResourceVersion): JsonObject | undefined {
  if (etag === undefined && revision === undefined && lastModified === undefined) return undefined
  if (etag !== undefined && typeof etag !== 'string') throw notSaid('etag', etag, 'a text')
  if (revision !== undefined && typeof revision !== 'string' && typeof revision !== 'number') {
    throw notSaid('revision', revision, 'a text or a number')
  }
  return {
    ...(etag === undefined ? {} : { [ETAG]: etag }),
    ...(revision === undefined ? {} : { [REVISION]: revision }),
    ...(lastModified === undefined ? {} : { [LAST_MODIFIED]: toTime(lastModified) }),
  }
}

/** The answer to a caller who has this state already; undefined where the contents must be read. */
export function toUnchanged(
  call: Call,
  uri: string,
  mimeType: string | undefined,
  meta: JsonObject | undefined,
): Result | undefined {
  if (!hasState(call, meta)) return undefined
  const typed = mimeType === undefined ? {} : { mimeType }
  return toSpared({ uri, ...typed, _meta: meta })
}

/**
 * Contents that say which state they are, as they say themselves or else as `meta` has it, and without what is only for
 * us. Those that were read for nothing, since the caller has them, are left out.
 */
export function withVersion(
  call: Call,
  { etag, revision, lastModified, ...result }: Result,
  meta?: JsonObject,
): Result {
  const { contents } = result
  if (!Array.isArray(contents)) return result
  const ofAll = { ...meta, ...toVersionMeta({ etag, revision, lastModified } as ResourceVersion) } // checked by it
  const said = contents.map((one: ResourceContents) => toSaid(one, ofAll))
  const [only] = said
  if (said.length === 1 && only !== undefined && hasState(call, only._meta)) return toSpared(only)
  return { ...result, contents: said }
}

/** Without the members that are no part of contents on the wire. */
export function toSaid<Thing extends JsonObject>(thing: Thing, meta: JsonObject): Thing {
  const { etag, revision, lastModified, ...rest } = thing
  const own = toVersionMeta({ etag, revision, lastModified } as ResourceVersion) // checked by it
  const all = { ...meta, ...own, ...(isObject(thing._meta) ? thing._meta : {}) }
  return (Object.keys(all).length === 0 ? rest : { ...rest, _meta: all }) as JsonObject as Thing // has the rest of it
}

function hasState({ meta: asked }: Call, meta: unknown): boolean {
  const known = asked[IF_NONE_MATCH]
  return known !== undefined && isObject(meta) && known === meta[ETAG] // a text, wherever it is there
}

/** Not to be kept by anybody: it is the answer to this question only. */
function toSpared({ blob: _, ...contents }: JsonObject): Result {
  const meta = isObject(contents._meta) ? contents._meta : {}
  return {
    contents: [{ ...contents, text: '', _meta: { ...meta, [NOT_MODIFIED]: true } }],
    ttlMs: 0,
    cacheScope: 'private',
  }
}

function notSaid(member: string, value: unknown, wanted: string): TypeError {
  return new TypeError(`Cannot say the ${member} ${shown(String(value))} of a resource: it is to be ${wanted}`)
}

function toTime(time: Date | string): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) throw new Error(`Cannot say "${String(time)}" of a resource: it is no time`)
  return typeof time === 'string' ? time : date.toISOString()
}
