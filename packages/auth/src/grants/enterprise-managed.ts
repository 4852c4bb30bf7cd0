import type { ClientIdentity, GivenClient } from '../client/identity.ts'
import { type AuthorizationServer, guessMetadata, readServerMetadata } from '../discovery/server-metadata.ts'
import { AuthError } from '../errors.ts'
import { requestToken } from '../tokens/token-request.ts'
import type { Http } from '../urls/http.ts'
import { aboutResource, type Grant, type GrantContext, identifyGiven } from './grant.ts'
import { showAssertion } from './jwt-bearer.ts'
import { type Assertion, toAssertion } from './workload-identity.ts'

/** Where the people of a company sign in. */
export interface IdentityProvider {
  readonly issuer: string
  /** Default: what the metadata of the issuer says. */
  readonly tokenEndpoint?: string
  /** Who we are there; not the client of the MCP server's authorization server. */
  readonly client: Omit<GivenClient, 'issuer'>
  /** What the person got when signing in: the ID token, or a function that gets one that is not expired. */
  readonly idToken: Assertion
}

/**
 * Tokens by leave of the identity provider, without anybody being asked (extension
 * `io.modelcontextprotocol/enterprise-managed-authorization`): the ID token is exchanged for an assertion about this
 * server (ID-JAG, RFC 8693), and that for an access token (RFC 7523).
 */
export function enterpriseManagedGrant(given: GivenClient, provider: IdentityProvider): Grant {
  return {
    asksPerson: false,
    owner: `${given.id} ${provider.issuer}`,
    async obtain(context) {
      const client = identifyGiven(given, context.found.issuedBy, context.lastIssuer)
      const assertion = await exchange(context, provider)
      return { client, response: await showAssertion(context, client, assertion), scopes: context.scopes }
    },
    recall: async (server) => identifyGiven(given, server, server.issuer),
  }
}

async function exchange(context: GrantContext, provider: IdentityProvider): Promise<string> {
  const { http, nonces, found } = context
  const server = await toServer(http, provider)
  const client: ClientIdentity = { ...provider.client, origin: 'given', issuer: server.issuer }
  const { accessToken, issuedTokenType } = await requestToken({
    http,
    nonces,
    server,
    client,
    params: {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      requested_token_type: ID_JAG,
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      subject_token: await toAssertion(provider.idToken, server.issuer),
      audience: found.issuedBy.issuer,
      ...aboutResource(context),
    },
  })
  if (issuedTokenType !== ID_JAG) {
    throw new AuthError('peer.invalid', `Cannot use what "${server.issuer}" answers: it is no assertion for a server`)
  }
  return accessToken
}

async function toServer(http: Http, { issuer, tokenEndpoint }: IdentityProvider): Promise<AuthorizationServer> {
  if (tokenEndpoint === undefined) return readServerMetadata(http, issuer)
  return { ...guessMetadata(issuer), issuer, tokenEndpoint }
}

const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag'
