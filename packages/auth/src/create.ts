import type { Authorization, AuthorizationRefusal, AuthorizedRequest } from './authorization.ts'
import type { GivenClient } from './client/identity.ts'
import { parseScopes } from './discovery/scopes.ts'
import { AuthError } from './errors.ts'
import { authorizationCodeGrant } from './grants/authorization-code.ts'
import { clientCredentialsGrant } from './grants/client-credentials.ts'
import { enterpriseManagedGrant, type IdentityProvider } from './grants/enterprise-managed.ts'
import type { Grant } from './grants/grant.ts'
import type { Redirect } from './grants/redirect.ts'
import { type Assertion, workloadIdentityGrant } from './grants/workload-identity.ts'
import { ServerSession } from './session.ts'
import { createMemoryStore, type TokenStore } from './store.ts'
import { createHttp, type Fetch, platformFetch } from './urls/http.ts'
import { createReach } from './urls/reach.ts'

/** What all ways to get tokens have in common. */
export interface AuthorizationOptions {
  /** Where tokens and registrations are kept. Default: in memory, for as long as the process lives. */
  readonly store?: TokenStore
  /** Whose tokens these are, where several people share a store. Default: nobody's in particular. */
  readonly account?: string
  /** Scopes to ask for besides those the server wants, separated by spaces. Default: none. */
  readonly scope?: string
  /** Takes tokens that are bound to a key, and no others (DPoP, RFC 9449). Default false. */
  readonly dpop?: boolean
  /** The one issuer whose tokens may be used, whatever servers say. Default: the one a server names. */
  readonly issuer?: string
  /**
   * Hosts that may be asked though they are inside a network: the authorization server of the company. Default: none;
   * what is neither public nor the MCP server's own host is refused.
   */
  readonly trustedHosts?: readonly string[]
  /** How requests to authorization servers are made. Default: the platform's `fetch`. */
  readonly fetch?: Fetch
  /** A request to an authorization server, its answer included. Default 5 s. */
  readonly requestTimeoutMs?: number
  /** Milliseconds since 1970. Default: the clock of the machine. */
  readonly now?: () => number
}

export interface OAuthOptions extends AuthorizationOptions {
  /** How the person gets to the page where they sign in, and back. */
  readonly redirect: Redirect
  /** A client registered by hand: used where there is one, whatever else a server offers. */
  readonly client?: GivenClient
  /** The https URL of our client metadata, which servers that know such URLs take as client id. */
  readonly clientMetadataUrl?: string
  /** What people are told who wants in, where a client registers itself. Default `Crosspoint`. */
  readonly clientName?: string
  /** How long a person may take. Default 5 minutes. */
  readonly signInTimeoutMs?: number
}

export interface ClientCredentialsOptions extends AuthorizationOptions {
  /** The program's own registration: with a secret or, better, a private key. */
  readonly client: GivenClient
}

export interface EnterpriseManagedOptions extends AuthorizationOptions {
  /** Who we are to the authorization server of the MCP server. */
  readonly client: GivenClient
  readonly identityProvider: IdentityProvider
}

export interface WorkloadIdentityOptions extends AuthorizationOptions {
  readonly client: GivenClient
  /** What the platform says about this program. */
  readonly assertion: Assertion
}

/**
 * Signs a person in with a browser when a server asks for it, and keeps them signed in.
 * @throws {AuthError} for a metadata URL that is none
 */
export function createOAuth(options: OAuthOptions): Authorization {
  const { redirect, client, clientMetadataUrl, clientName = 'Crosspoint', signInTimeoutMs = 300_000 } = options
  if (clientMetadataUrl !== undefined) checkMetadataUrl(clientMetadataUrl)
  return toAuthorization(
    authorizationCodeGrant({ redirect, client, clientMetadataUrl, clientName, signInTimeoutMs }),
    options,
  )
}

/** A program that acts for itself, with credentials of its own. */
export function clientCredentials(options: ClientCredentialsOptions): Authorization {
  return toAuthorization(clientCredentialsGrant(options.client), options)
}

/** A person who has signed in to their company, which decides what they may use. */
export function enterpriseManaged(options: EnterpriseManagedOptions): Authorization {
  return toAuthorization(enterpriseManagedGrant(options.client, options.identityProvider), options)
}

/** A program whose platform vouches for it: no secret to keep. */
export function workloadIdentity(options: WorkloadIdentityOptions): Authorization {
  return toAuthorization(workloadIdentityGrant(options.client, options.assertion), options)
}

function toAuthorization(grant: Grant, options: AuthorizationOptions): Authorization {
  const { store = createMemoryStore(), account = '', dpop = false, issuer, now = Date.now } = options
  const { trustedHosts, fetch = platformFetch, requestTimeoutMs } = options
  const scopes = parseScopes(options.scope)
  const sessions = new Map<string, ServerSession>()

  function open(server: URL): ServerSession {
    const reach = createReach({ server, ...(trustedHosts === undefined ? {} : { trustedHosts }) })
    const time = requestTimeoutMs === undefined ? {} : { timeoutMs: requestTimeoutMs }
    const http = createHttp({ fetch, reach, ...time })
    return new ServerSession({ server, grant, store, account, http, scopes, dpop, issuer, now })
  }

  function sessionOf({ server }: AuthorizedRequest): ServerSession {
    let session = sessions.get(server)
    if (session === undefined) {
      if (sessions.size >= MAX_SERVERS) {
        throw new AuthError(
          'internal.error',
          `Cannot sign in to more than ${MAX_SERVERS} servers with one authorization`,
        )
      }
      session = open(new URL(server))
      sessions.set(server, session)
    }
    return session
  }

  return {
    headers: (request) => sessionOf(request).headers(request),
    refused: async (refusal: AuthorizationRefusal) => sessionOf(refusal.request).refused(refusal),
    nonce: (nonce, request) => sessionOf(request).nonce(nonce, request),
    get isAsking() {
      for (const session of sessions.values()) if (session.isAsking) return true
      return false
    },
  }
}

/** 2025-11-25 basic/authorization, client id metadata documents: https, and a path. */
function checkMetadataUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'https:' && url.pathname !== '/' && url.hash === '' && url.username === '') return
  throw new AuthError('internal.error', `Cannot use "${text}" as client id: it has to be an https URL with a path`)
}

const MAX_SERVERS = 1_000
