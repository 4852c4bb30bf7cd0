import { base64url } from 'jose'
import type { ClientIdentity, GivenClient } from '../client/identity.ts'
import { parseStoredClient, type RegisteredClient, register, toStoredClient } from '../client/registration.ts'
import { union } from '../discovery/scopes.ts'
import type { AuthorizationServer } from '../discovery/server-metadata.ts'
import { AuthError } from '../errors.ts'
import { clientKey } from '../keys.ts'
import { isLoopbackHost } from '../urls/reach.ts'
import { parseCallback } from './callback.ts'
import { type Grant, type GrantContext, type Granted, identifyGiven, request } from './grant.ts'
import { type OpenRedirect, type Redirect, withinTime } from './redirect.ts'

export interface AuthorizationCodeOptions {
  readonly redirect: Redirect
  readonly client?: GivenClient | undefined
  /** `client_id` where the server takes URLs (client id metadata document). */
  readonly clientMetadataUrl?: string | undefined
  readonly clientName: string
  readonly signInTimeoutMs: number
}

/** Somebody signs in with a browser (OAuth 2.1: authorization code with PKCE). */
export function authorizationCodeGrant(options: AuthorizationCodeOptions): Grant {
  const { client, clientMetadataUrl } = options
  return {
    asksPerson: true,
    owner: client?.id ?? clientMetadataUrl ?? options.clientName,
    async obtain(context) {
      try {
        return await signIn(options, context)
      } catch (error) {
        // The server has forgotten a client that registered itself: it can do so again, once.
        if (!(error instanceof AuthError) || error.refusal !== 'invalid_client') throw error
        if (!(await forget(context))) throw error
        return signIn(options, context)
      }
    },
    async recall(server, clientId, store) {
      if (client?.id === clientId) return identifyGiven(client, server, server.issuer)
      if (clientMetadataUrl === clientId)
        return { origin: 'url', id: clientId, issuer: server.issuer, authMethod: 'none' }
      const stored = parseStoredClient(await store.read(clientKey(server.issuer, options.clientName)), server.issuer)
      return stored?.id === clientId ? stored : undefined
    },
  }

  async function forget({ store, found }: GrantContext): Promise<boolean> {
    const { issuer } = found.issuedBy
    if (client !== undefined || parseStoredClient(await store.read(key(issuer)), issuer) === undefined) return false
    await store.write(key(issuer), undefined)
    return true
  }

  function key(issuer: string): string {
    return clientKey(issuer, options.clientName)
  }
}

async function signIn(options: AuthorizationCodeOptions, context: GrantContext): Promise<Granted> {
  const { issuedBy, resource } = context.found
  const endpoint = checkServer(issuedBy)
  const known = parseStoredClient(
    await context.store.read(clientKey(issuedBy.issuer, options.clientName)),
    issuedBy.issuer,
  )
  const visit = await options.redirect.open(known?.redirectUri)
  try {
    checkRedirect(visit.uri)
    const client = await identify(options, context, visit)
    const scopes = issuedBy.scopes.includes(OFFLINE) ? union(context.scopes, [OFFLINE]) : context.scopes
    const [state, verifier] = [randomText(), randomText()]
    const url = new URL(endpoint)
    for (const [name, value] of [
      ['response_type', 'code'],
      ['client_id', client.id],
      ['redirect_uri', visit.uri],
      ['state', state],
      ['code_challenge', await toChallenge(verifier)],
      ['code_challenge_method', 'S256'],
      ['resource', resource],
      ...(scopes.length === 0 ? [] : [['scope', scopes.join(' ')]]),
      // A token that outlives the visit has to be agreed to (OpenID Connect Core §11).
      ...(scopes.includes(OFFLINE) ? [['prompt', 'consent']] : []),
    ] as const) {
      url.searchParams.set(name ?? '', value ?? '')
    }
    const back = await withinTime(options.signInTimeoutMs, (signal) => visit.authorize(url.href, signal))
    const code = parseCallback(back, state, issuedBy)
    const response = await request(context, client, {
      grant_type: 'authorization_code',
      code,
      code_verifier: verifier,
      redirect_uri: visit.uri,
      resource,
    })
    return { client, response, scopes }
  } finally {
    await visit.close()
  }
}

/** @throws {AuthError} for a server with which codes could be stolen (trap 45) */
function checkServer({ issuer, authorizationEndpoint, hasPkce }: AuthorizationServer): string {
  if (authorizationEndpoint === undefined) {
    throw new AuthError('peer.invalid', `Cannot sign in at "${issuer}": it has no page for people`)
  }
  if (!hasPkce) {
    throw new AuthError('policy.insecure', `Cannot sign in at "${issuer}": it does not offer PKCE with S256`)
  }
  return authorizationEndpoint
}

/** Pre-registered, by URL, registered before, registered now: what comes first in this order (2025-11-25 on). */
async function identify(
  { client, clientMetadataUrl, clientName }: AuthorizationCodeOptions,
  { http, store, found, lastIssuer }: GrantContext,
  { uri }: OpenRedirect,
): Promise<ClientIdentity> {
  const server = found.issuedBy
  const { issuer, registrationEndpoint } = server
  if (client !== undefined) return identifyGiven(client, server, lastIssuer)
  if (clientMetadataUrl !== undefined && server.takesClientUrls) {
    return { origin: 'url', id: clientMetadataUrl, issuer, authMethod: 'none' }
  }
  const key = clientKey(issuer, clientName)
  return store.exclusively(key, async () => {
    const known = parseStoredClient(await store.read(key), issuer)
    if (known !== undefined && known.redirectUri === uri && !isExpired(known)) return known
    if (registrationEndpoint === undefined) {
      throw new AuthError(
        'caller.no_client',
        `Cannot sign in at "${issuer}": it does not let clients register; register one there and configure its id`,
      )
    }
    const registered = await register(http, server, registrationEndpoint, clientName, uri)
    await store.write(key, toStoredClient(registered))
    return registered
  })
}

function isExpired({ expiresAt }: RegisteredClient): boolean {
  return expiresAt !== undefined && expiresAt <= Date.now()
}

/** A code must come back over https, or to the machine where the person is (basic/authorization, security). */
function checkRedirect(uri: string): void {
  const url = URL.canParse(uri) ? new URL(uri) : undefined
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(url.hostname))) return
  throw new AuthError('policy.insecure', 'Cannot sign in: people would be sent back over an open line')
}

function randomText(): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(32)))
}

/** RFC 7636 §4.2. */
async function toChallenge(verifier: string): Promise<string> {
  return base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))))
}

const OFFLINE = 'offline_access'
