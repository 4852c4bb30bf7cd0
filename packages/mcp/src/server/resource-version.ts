import type { JsonObject } from '../jsonrpc/frame.ts'
import type { Call, Result } from '../protocol/call.ts'
import { ETAG, IF_NONE_MATCH, NOT_MODIFIED, REVISION } from '../protocol/resource-version.ts'

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

/** The members by which a list says which state this is, merged with those the definition has already. */
export function toVersionMembers(
  { lastModified, annotations, _meta }: ResourceVersion & Annotated,
  version: JsonObject | undefined,
): Annotated {
  return {
    ...(lastModified === undefined ? {} : { annotations: { ...annotations, lastModified: toTime(lastModified) } }),
    ...(version === undefined ? {} : { _meta: { ..._meta, ...version } }),
  }
}

/** What list and contents say of it in `_meta`; undefined where that is nothing. */
export function toVersionMeta({ etag, revision }: ResourceVersion): JsonObject | undefined {
  if (etag === undefined && revision === undefined) return undefined
  return {
    ...(etag === undefined ? {} : { [ETAG]: etag }),
    ...(revision === undefined ? {} : { [REVISION]: revision }),
  }
}

/** The answer to a caller who has this state already; undefined where the contents must be read. */
export function toUnchanged(
  call: Call,
  uri: string,
  mimeType: string | undefined,
  meta: JsonObject,
): Result | undefined {
  const known = call.meta[IF_NONE_MATCH]
  if (known === undefined || known !== meta[ETAG]) return undefined // also where there is no etag to match
  const typed = mimeType === undefined ? {} : { mimeType }
  return { contents: [{ uri, ...typed, text: '', _meta: { ...meta, [NOT_MODIFIED]: true } }] }
}

/** Contents that say which state they are, unless they say so themselves. */
export function withVersion(result: Result, meta: JsonObject): Result {
  const { contents } = result
  if (!Array.isArray(contents)) return result
  return { ...result, contents: contents.map((one: JsonObject) => ({ ...one, _meta: { ...meta, ...toMeta(one) } })) }
}

function toMeta({ _meta }: JsonObject): JsonObject {
  return typeof _meta === 'object' && _meta !== null ? (_meta as JsonObject) : {}
}

function toTime(time: Date | string): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) throw new Error(`Cannot say "${String(time)}" of a resource: it is no time`)
  return typeof time === 'string' ? time : date.toISOString()
}
