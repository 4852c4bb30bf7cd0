import type { Authorization, AuthorizationRefusal, AuthorizedRequest } from './authorization.ts'
import {
  type AuthorizationOptions,
  CLIENT_CREDENTIALS,
  type ClientCredentialsOptions,
  DEVICE_CODE,
  type DeviceCodeOptions,
  ENTERPRISE_MANAGED,
  type EnterpriseManagedOptions,
  KEPT_SIGN_INS,
  type KeptSignInsOptions,
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
import { deviceCodeGrant } from './grants/device-code.ts'
import { enterpriseManagedGrant } from './grants/enterprise-managed.ts'
import type { Grant } from './grants/grant.ts'
import { ownerOf, recall } from './grants/introduce.ts'
import { type ExchangedToken, exchangeToken, type SubjectToken } from './grants/token-exchange.ts'
import { workloadIdentityGrant } from './grants/workload-identity.ts'
import { checkOptions } from './options/check.ts'
import { ServerSession } from './session.ts'
import { createMemoryStore } from './store.ts'
import { createHttp, platformFetch } from './urls/http.ts'
import { createReach } from './urls/reach.ts'
import { Vault } from './vault.ts'

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

/**
 * Signs a person in whose browser is elsewhere: they are shown an address and a code, and it is waited until they have
 * typed it there (RFC 8628). Afterwards as {@link createOAuth}: tokens of the one serve the other.
 * @throws {AuthError} for a metadata URL that is none
 */
export function deviceCode(options: DeviceCodeOptions): Authorization {
  checkOptions('sign people in with a code', options, DEVICE_CODE)
  const { show, client, clientMetadataUrl, clientName = 'Crosspoint', signal, now = Date.now, wait = pause } = options
  const { signInTimeoutMs = 540_000 } = options
  if (clientMetadataUrl !== undefined) checkMetadataUrl(clientMetadataUrl)
  const terms = { show, client, clientMetadataUrl, clientName, signal, now, wait, signInTimeoutMs }
  return toAuthorization(deviceCodeGrant(terms), options)
}

/** What {@link createOAuth} and {@link deviceCode} keep in a store. */
export interface KeptSignIns {
  /** Uses and renews what is kept, and asks nobody: without anything that is good the server says so itself. */
  readonly authorization: Authorization
  /** Whether anything is kept for the MCP server at this URL, be it still good or not. */
  has(server: string): Promise<boolean>
  /** @returns whether there was anything. Where tokens are given it stays good until it ends. */
  forget(server: string): Promise<boolean>
}

/** The sign-ins of before: to use them where nobody can be asked, and to forget them. */
export function keptSignIns(options: KeptSignInsOptions): KeptSignIns {
  checkOptions('use kept sign-ins', options, KEPT_SIGN_INS)
  const { store, account = '', client, clientMetadataUrl, clientName = 'Crosspoint' } = options
  const introduction = { client, clientMetadataUrl, clientName }
  const grant: Grant = {
    asksPerson: true,
    asksNobody: true,
    owner: ownerOf(introduction),
    obtain: () => Promise.reject(new AuthError('caller.declined', 'Nobody has signed in')),
    recall: (server, clientId, from) => recall(introduction, server, clientId, from),
  }
  const vaultOf = (server: string) => new Vault(store, new URL(server).href, grant.owner, account)
  return {
    authorization: toAuthorization(grant, options),
    has: async (server) => (await vaultOf(server).load()) !== undefined,
    async forget(server) {
      const vault = vaultOf(server)
      const tokens = await vault.load()
      if (tokens !== undefined) await vault.exclusively(tokens, () => vault.drop(tokens))
      return tokens !== undefined
    },
  }
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

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    if (signal?.aborted === true) end()
    else signal?.addEventListener('abort', end, { once: true })
  })
}

/** 2025-11-25 basic/authorization, client id metadata documents: https, and a path. */
function checkMetadataUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'https:' && url.pathname !== '/' && url.hash === '' && url.username === '') return
  throw new AuthError('internal.error', `Cannot use "${text}" as client id: it has to be an https URL with a path`)
}

const MAX_SERVERS = 1_000
