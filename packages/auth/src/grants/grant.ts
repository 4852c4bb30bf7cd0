import type { ClientIdentity, GivenClient } from '../client/identity.ts'
import type { Discovered } from '../discovery/discover.ts'
import type { AuthorizationServer } from '../discovery/server-metadata.ts'
import { AuthError } from '../errors.ts'
import type { TokenStore } from '../store.ts'
import type { DpopKey } from '../tokens/dpop.ts'
import type { Nonces } from '../tokens/nonces.ts'
import { requestToken, type TokenResponse } from '../tokens/token-request.ts'
import type { Http } from '../urls/http.ts'

/** What a grant has to work with. */
export interface GrantContext {
  readonly http: Http
  readonly nonces: Nonces
  readonly store: TokenStore
  readonly found: Discovered
  readonly scopes: readonly string[]
  /** The key tokens are to be bound to, where they are. */
  readonly key: DpopKey | undefined
  /** The issuer this server had when we last dealt with it. */
  readonly lastIssuer: string | undefined
}

export interface Granted {
  readonly client: ClientIdentity
  readonly response: TokenResponse
  /** Those that were asked for in the end. */
  readonly scopes: readonly string[]
}

/** A way to get tokens where there are none that could be renewed. */
export interface Grant {
  /** Somebody has to look at a page for it. */
  readonly asksPerson: boolean
  /** Nothing can be obtained: what is kept is used and renewed, and that is all. */
  readonly asksNobody?: true
  /** Tells the tokens of one client from those of another in a store that both use. */
  readonly owner: string
  /** @throws {AuthError} */
  obtain(context: GrantContext): Promise<Granted>
  /** Who we were when we got tokens from this server; undefined where that is not known any more. */
  recall(server: AuthorizationServer, clientId: string, store: TokenStore): Promise<ClientIdentity | undefined>
}

/**
 * A client registered by hand, as it is known to one server.
 * @throws {AuthError} for a server other than the one it is registered with (trap 47): its credentials would be shown
 *   to somebody whom the MCP server has put in the place of the one we know
 */
export function identifyGiven(
  given: GivenClient,
  { issuer }: AuthorizationServer,
  lastIssuer: string | undefined,
): ClientIdentity {
  const { issuer: registeredWith = lastIssuer ?? issuer, ...client } = given
  if (registeredWith !== issuer) {
    throw new AuthError(
      'caller.no_client',
      `Cannot use the client "${given.id}" with "${issuer}": it is registered with "${registeredWith}"; register one there and configure it`,
    )
  }
  return { ...client, origin: 'given', issuer }
}

/** Asks for a token with what a grant has to show. */
export function request(context: GrantContext, client: ClientIdentity, params: Record<string, string>) {
  const { http, nonces, found, key } = context
  return requestToken({ http, nonces, server: found.issuedBy, client, key, params })
}

/** `scope` where there is any, and always the `resource` (trap 44). */
export function aboutResource({ found, scopes }: GrantContext): Record<string, string> {
  return { resource: found.resource, ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }) }
}
