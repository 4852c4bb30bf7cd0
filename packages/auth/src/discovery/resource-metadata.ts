import { AuthError } from '../errors.ts'
import { asString, asStrings, type JsonObject } from '../json.ts'
import type { Http } from '../urls/http.ts'
import { parseUrl } from '../urls/parse.ts'
import { isLoopbackHost } from '../urls/reach.ts'
import { parseScopes } from './scopes.ts'

/** What a server says about itself as a protected resource (RFC 9728). */
export interface ResourceMetadata {
  /** How tokens for it name it (RFC 8707), as it wrote it. */
  readonly resource: string
  readonly issuers: readonly string[]
  readonly scopes: readonly string[] | undefined
}

/**
 * Finds the metadata of a server: where its challenge says, else at the well-known places.
 * @returns undefined where there is none, as with servers of the time before it
 * @throws {AuthError} for metadata that is not the server's
 */
export async function findResourceMetadata(
  http: Http,
  server: URL,
  named: string | undefined,
): Promise<ResourceMetadata | undefined> {
  const path = server.pathname === '/' ? '' : server.pathname
  const places = [named, `${server.origin}${WELL_KNOWN}${path}`, `${server.origin}${WELL_KNOWN}`]
  for (const place of new Set(places.filter((url) => url !== undefined))) {
    const { status, body } = await http.get(place, WHAT)
    if (status === 200 && body !== undefined) return parse(body, server)
    if (status >= 500) throw new AuthError('peer.unavailable', `Cannot read ${WHAT}: HTTP ${status}`)
  }
  return undefined
}

function parse(body: JsonObject, server: URL): ResourceMetadata {
  const resource = asString(body.resource)
  const issuers = asStrings(body.authorization_servers) ?? []
  if (resource === undefined) {
    throw new AuthError('peer.invalid', `Cannot sign in to ${server.host}: its metadata names no resource`)
  }
  if (!covers(resource, server)) throw ofAnother(resource, server)
  if (issuers.length === 0) {
    throw new AuthError('peer.invalid', `Cannot sign in to ${server.host}: its metadata names no authorization server`)
  }
  const scopes = asStrings(body.scopes_supported)
  return { resource, issuers, scopes: scopes === undefined ? undefined : parseScopes(scopes.join(' ')) }
}

/** Names both, which often are one machine by two names. */
function ofAnother(resource: string, server: URL): AuthError {
  const url = parseUrl(resource)
  const isHere = url?.port === server.port && [url, server].every(({ hostname }) => isLoopbackHost(hostname))
  const remedy = isHere ? '; connect to it by that name' : ''
  const named = url === undefined ? 'is no URL' : `is "${url.origin}${url.pathname}"`
  const asked = `${server.origin}${server.pathname}`
  return new AuthError(
    'peer.invalid',
    `Cannot sign in to "${asked}": its metadata is of another resource, whose name ${named}${remedy}`,
  )
}

/**
 * Metadata at a well-known place without a path names the origin, so a resource covers the paths below its own. Any
 * other resource would have us fetch a token for somebody else.
 */
function covers(resource: string, server: URL): boolean {
  const url = parseUrl(resource)
  if (url === undefined) return false
  const { origin, pathname, hash, search } = url
  if (origin !== server.origin || hash !== '' || (search !== '' && search !== server.search)) return false
  const base = pathname.endsWith('/') ? pathname : `${pathname}/`
  return `${server.pathname}/`.startsWith(base)
}

const WELL_KNOWN = '/.well-known/oauth-protected-resource'
const WHAT = 'the metadata of the server'
