import type { Authorization, AuthorizationRefusal, AuthorizedRequest } from './authorization.ts'
import {
  type AuthorizationOptions,
  CLIENT_CREDENTIALS,
  type ClientCredentialsOptions,
  ENTERPRISE_MANAGED,
  type EnterpriseManagedOptions,
  OAUTH,
  type OAuthOptions,
  TOKEN_EXCHANGE,
  type TokenExchangeOptions,
  WORKLOAD_IDENTITY,
  type WorkloadIdentityOptions,
} from './create-options.ts'
import { parseScopes } from './discovery/scopes.ts'
import { AuthError } from './errors.ts'
import { authorizationCodeGrant } from './grants/authorization-code.ts'
import { clientCredentialsGrant } from './grants/client-credentials.ts'
import { enterpriseManagedGrant } from './grants/enterprise-managed.ts'
import type { Grant } from './grants/grant.ts'
import { type ExchangedToken, exchangeToken, type SubjectToken } from './grants/token-exchange.ts'
import { workloadIdentityGrant } from './grants/workload-identity.ts'
import { checkOptions } from './options/check.ts'
import { ServerSession } from './session.ts'
import { createMemoryStore } from './store.ts'
import { createHttp, platformFetch } from './urls/http.ts'
import { createReach } from './urls/reach.ts'

/**
 * Signs a person in with a browser when a server asks for it, and keeps them signed in.
 * @throws {AuthError} for a metadata URL that is none
 * @throws {TypeError} for other options that would not work, as all of these do
 */
export function createOAuth(options: OAuthOptions): Authorization {
  checkOptions('sign people in', options, OAUTH)
  const { redirect, client, clientMetadataUrl, clientName = 'Crosspoint', signInTimeoutMs = 300_000 } = options
  if (clientMetadataUrl !== undefined) checkMetadataUrl(clientMetadataUrl)
  return toAuthorization(
    authorizationCodeGrant({ redirect, client, clientMetadataUrl, clientName, signInTimeoutMs }),
    options,
  )
}

/** A program that acts for itself, with credentials of its own. */
export function clientCredentials(options: ClientCredentialsOptions): Authorization {
  checkOptions('sign a program in', options, CLIENT_CREDENTIALS)
  return toAuthorization(clientCredentialsGrant(options.client), options)
}

/** A person who has signed in to their company, which decides what they may use. */
export function enterpriseManaged(options: EnterpriseManagedOptions): Authorization {
  checkOptions('sign in by leave of a company', options, ENTERPRISE_MANAGED)
  return toAuthorization(enterpriseManagedGrant(options.client, options.identityProvider), options)
}

/** A program whose platform vouches for it: no secret to keep. */
export function workloadIdentity(options: WorkloadIdentityOptions): Authorization {
  checkOptions('sign in with a workload identity', options, WORKLOAD_IDENTITY)
  return toAuthorization(workloadIdentityGrant(options.client, options.assertion), options)
}

/**
 * Exchanges what callers show for tokens that are good for one server alone (RFC 8693): each call asks the issuer, and
 * what it gives is not kept here.
 */
export function tokenExchange(options: TokenExchangeOptions): (subject: SubjectToken) => Promise<ExchangedToken> {
  checkOptions('exchange tokens', options, TOKEN_EXCHANGE)
  const { trustedHosts, fetch = platformFetch, requestTimeoutMs: timeoutMs, now = Date.now, ...terms } = options
  const server = new URL(options.issuer)
  const reach = createReach({ server, ...(trustedHosts === undefined ? {} : { trustedHosts }) })
  const http = createHttp({ fetch, reach, ...(timeoutMs === undefined ? {} : { timeoutMs }) })
  return (subject) => exchangeToken(http, terms, subject, now)
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
