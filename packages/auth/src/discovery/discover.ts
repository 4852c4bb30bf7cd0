import { AuthError } from '../errors.ts'
import type { Http } from '../urls/http.ts'
import { findResourceMetadata } from './resource-metadata.ts'
import { type AuthorizationServer, readOwnMetadata, readServerMetadata } from './server-metadata.ts'

/** Who gives tokens for an MCP server. */
export interface Discovered {
  /** How tokens name the server (RFC 8707). */
  readonly resource: string
  /** Scopes the server says it uses; undefined where it says nothing. */
  readonly scopes: readonly string[] | undefined
  readonly issuedBy: AuthorizationServer
}

export interface DiscoverOptions {
  /** Where a challenge said the metadata is. */
  readonly named?: string | undefined
  /** An issuer to prefer among several: one that we have dealt with. */
  readonly known?: string | undefined
  /** The only issuer to be used, whatever the server says. Default: any. */
  readonly only?: string | undefined
}

/** @throws {AuthError} where nobody can be found, or somebody is not who they should be */
export async function discover(http: Http, server: URL, options: DiscoverOptions = {}): Promise<Discovered> {
  const { named, known, only } = options
  const metadata = await findResourceMetadata(http, server, named)
  if (metadata === undefined) {
    const issuedBy = await readOwnMetadata(http, server)
    checkOnly([issuedBy.issuer], only, server)
    return { resource: toResource(server), scopes: undefined, issuedBy }
  }
  const { resource, issuers, scopes } = metadata
  checkOnly(issuers, only, server)
  const issuer = only ?? (known !== undefined && issuers.includes(known) ? known : (issuers[0] ?? ''))
  return { resource, scopes, issuedBy: await readServerMetadata(http, issuer) }
}

function checkOnly(issuers: readonly string[], only: string | undefined, server: URL): void {
  if (only === undefined || issuers.includes(only)) return
  throw new AuthError(
    'peer.invalid',
    `Cannot sign in to ${server.host}: it does not take tokens of "${only}", the issuer it may be used with`,
  )
}

/** The canonical URI of a server (basic/authorization): no fragment, no slash alone. */
function toResource({ origin, pathname, search }: URL): string {
  return `${origin}${pathname === '/' ? '' : pathname}${search}`
}
