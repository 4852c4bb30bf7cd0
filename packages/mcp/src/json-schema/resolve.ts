import { isObject } from '../jsonrpc/members.ts'
import { METASCHEMAS } from './metaschemas.ts'
import {
  type Library,
  type Place,
  type Resource,
  readDocument,
  readHiddenPlace,
  refused,
  resolveUri,
} from './places.ts'

/**
 * The place a reference leads to. It is looked for in the schema itself, in the documents given with it and in the
 * official metaschemas, and nowhere else.
 * @throws {JsonSchemaError} when it leads nowhere
 */
export function resolveReference(library: Library, from: Place, keyword: string, reference: unknown): Place {
  const { document, uri: base } = from.resource
  const at = `${from.pointer}/${keyword}`
  if (typeof reference !== 'string') throw refused(document, at, 'expected a reference, which is text')
  const [uri = '', ...rest] = (resolveUri(reference, base, library.work) ?? '').split('#')
  if (uri === '') throw refused(document, at, `"${reference}" is not a URI reference`)
  const resource = findResource(library, uri)
  if (resource === undefined) {
    const means = uri.startsWith(PRIVATE_BASE) ? '' : ` ("${uri}")`
    throw refused(document, at, `"${reference}"${means} is not part of the schema, and references are never fetched`)
  }
  library.work.spend(reference.length >> 2)
  const fragment = decode(rest.join('#'))
  const place = fragment === undefined ? undefined : findPlace(library, resource, fragment)
  if (place === undefined) throw refused(document, at, `"${reference}" leads nowhere`)
  return place
}

function findResource(library: Library, uri: string): Resource | undefined {
  const known = library.resources.get(uri)
  if (known !== undefined) return known
  const metaschema = METASCHEMAS.get(uri)
  if (metaschema === undefined) return undefined
  return readDocument(library, metaschema, uri, uri, false).resource
}

function findPlace(library: Library, resource: Resource, fragment: string): Place | undefined {
  const { document } = resource
  if (fragment === '') return document.places.get(resource.pointer)
  if (!fragment.startsWith('/')) return resource.anchors.get(fragment)
  const pointer = resource.pointer + fragment
  return document.places.get(pointer) ?? findHidden(library, resource, pointer)
}

function findHidden(library: Library, outer: Resource, pointer: string): Place | undefined {
  let value: unknown = outer.document.root
  let resource = outer
  let path = ''
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as { readonly [key: string]: unknown })[key] // own, as was just seen
    path += `/${token}`
    library.work.spend(TOKEN_WORK + (path.length >> 4))
    resource = outer.document.places.get(path)?.resource ?? resource
  }
  return typeof value === 'boolean' || isObject(value) ? readHiddenPlace(library, resource, pointer, value) : undefined
}

function decode(fragment: string): string | undefined {
  try {
    return decodeURIComponent(fragment)
  } catch {
    return undefined
  }
}

/** Work of one step of a pointer. */
const TOKEN_WORK = 4

/** The base of schemas that have none. */
export const PRIVATE_BASE = 'schema:///'
