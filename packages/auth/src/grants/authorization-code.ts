import { base64url } from 'jose'
import { parseStoredClient } from '../client/registration.ts'
import { union } from '../discovery/scopes.ts'
import type { AuthorizationServer } from '../discovery/server-metadata.ts'
import { AuthError } from '../errors.ts'
import { clientKey } from '../keys.ts'
import { isLoopbackHost } from '../urls/reach.ts'
import { parseCallback } from './callback.ts'
import { type Grant, type GrantContext, type Granted, request } from './grant.ts'
import { type Introduction, identify, ownerOf, recall, untilKnown } from './introduce.ts'
import { type Redirect, withinTime } from './redirect.ts'

export interface AuthorizationCodeOptions extends Introduction {
  readonly redirect: Redirect
  readonly signInTimeoutMs: number
}

/** Somebody signs in with a browser (OAuth 2.1: authorization code with PKCE). */
export function authorizationCodeGrant(options: AuthorizationCodeOptions): Grant {
  return {
    asksPerson: true,
    owner: ownerOf(options),
    obtain: (context) => untilKnown(options, context, false, () => signIn(options, context)),
    recall: (server, clientId, store) => recall(options, server, clientId, store),
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
    const client = await identify(options, context, visit.uri)
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
