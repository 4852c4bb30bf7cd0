import { base64url, jwtVerify } from 'jose'
import type { ClientIdentity } from './client/identity.ts'
import { type AuthorizationServer, readServerMetadata } from './discovery/server-metadata.ts'
import { AuthError } from './errors.ts'
import { parseCallback } from './grants/callback.ts'
import { asString, type JsonObject } from './json.ts'
import { checkOptions } from './options/check.ts'
import { AMOUNT, bag, FUNCTION, HOSTS, required, SCOPES, type ShapesOf, text, url } from './options/shape.ts'
import { KeySet } from './resource/key-set.ts'
import { ALGORITHMS } from './resource/verify-options.ts'
import { Nonces } from './tokens/nonces.ts'
import { sendTokenRequest } from './tokens/token-request.ts'
import { createHttp, type Fetch, platformFetch } from './urls/http.ts'
import { createReach } from './urls/reach.ts'

export interface SignInOptions {
  /** The OpenID provider, as its metadata writes it, to the letter. */
  readonly issuer: string
  /** What we are to it. */
  readonly client: { readonly id: string; readonly secret: string }
  /** Where it sends people back to. */
  readonly redirectUri: string
  /** Default `openid`, which is always asked for. */
  readonly scopes?: readonly string[]
  /** Hosts inside our network that may be asked. Default: that of `issuer`. */
  readonly trustedHosts?: readonly string[]
  /** Default: the platform's. That of `@crosspoint/auth/node` pins addresses. */
  readonly fetch?: Fetch
  /** How far clocks may be apart. Default 30 s. */
  readonly leewaySeconds?: number
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number
}

/** What has to be remembered of somebody who was sent away, until they are back. All of it is a secret. */
export interface PendingSignIn {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

/** People sign in at an OpenID provider, to be known here (OpenID Connect Core §3.1; PKCE). */
export interface SignIn {
  /** @throws {AuthError} where the provider cannot be reached, or is less safe than it has to be */
  begin(): Promise<{ readonly url: string; readonly pending: PendingSignIn }>
  /**
   * Who came back, by the claims of the ID token, of which everything was checked.
   * @param callback the URL they came back to
   * @throws {AuthError}
   */
  finish(callback: string, pending: PendingSignIn): Promise<JsonObject>
}

/** @throws {TypeError} for options that cannot be used */
export function createSignIn(options: SignInOptions): SignIn {
  checkOptions('sign people in at a provider', options, SIGN_IN)
  const { issuer, client, redirectUri, scopes = [], trustedHosts = [], now = Date.now } = options
  const { fetch = platformFetch, leewaySeconds = 30 } = options
  const http = createHttp({ fetch, reach: createReach({ server: new URL(issuer), trustedHosts }) })
  const identity: ClientIdentity = { ...client, issuer, origin: 'given' }
  let found: { readonly at: number; readonly server: AuthorizationServer } | undefined

  async function discover(): Promise<AuthorizationServer> {
    if (found !== undefined && now() - found.at < METADATA_MS) return found.server
    const server = await readServerMetadata(http, issuer)
    found = { at: now(), server }
    return server
  }

  const keys = new KeySet({
    async read() {
      const { keysUrl = '' } = await discover()
      const { status, body } = await http.get(keysUrl, 'the keys of a provider')
      if (status === 200 && body !== undefined) return body
      throw new AuthError('peer.unavailable', `Cannot read the keys of a provider: HTTP ${status}`)
    },
    maxAgeMs: METADATA_MS,
    pauseMs: 30_000,
    now,
  })

  async function checkIdToken(token: string, nonce: string): Promise<JsonObject> {
    const { payload } = await jwtVerify(token, keys.find, {
      issuer,
      audience: client.id,
      algorithms: [...ALGORITHMS],
      clockTolerance: leewaySeconds,
      currentDate: new Date(now()),
      requiredClaims: ['exp', 'iat', 'aud', 'sub', 'nonce'],
    })
    const isForOthers = [payload.aud].flat().length > 1 || payload.azp !== undefined
    const isOurs = payload.nonce === nonce && (!isForOthers || payload.azp === client.id)
    if (!isOurs || asString(payload.sub) === undefined) throw new TypeError('Of another sign-in')
    return payload
  }

  return {
    async begin() {
      const { authorizationEndpoint } = await discover()
      if (authorizationEndpoint === undefined) {
        throw new AuthError('peer.invalid', `Cannot sign in at "${issuer}": it has no page for people`)
      }
      const [state, nonce, verifier] = [randomText(), randomText(), randomText()]
      const to = new URL(authorizationEndpoint)
      const challenge = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))
      for (const [name, value] of Object.entries({
        response_type: 'code',
        client_id: client.id,
        redirect_uri: redirectUri,
        scope: [...new Set(['openid', ...scopes])].join(' '),
        state,
        nonce,
        code_challenge: base64url.encode(new Uint8Array(challenge)),
        code_challenge_method: 'S256',
      })) {
        to.searchParams.set(name, value)
      }
      return { url: to.href, pending: { state, nonce, verifier } }
    },
    async finish(callback, { state, nonce, verifier }) {
      const server = await discover()
      const code = parseCallback(callback, state, server)
      const params = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier }
      const { id_token: token } = await sendTokenRequest({
        http,
        nonces: new Nonces(),
        server,
        client: identity,
        params,
      })
      const idToken = asString(token)
      if (idToken === undefined)
        throw new AuthError('peer.invalid', `Cannot sign in at "${issuer}": there is no ID token`)
      return checkIdToken(idToken, nonce).catch((error: unknown) => {
        if (error instanceof AuthError) throw error
        throw new AuthError('peer.invalid', `Cannot sign in at "${issuer}": its ID token is not good here`)
      })
    },
  }
}

function randomText(): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(32)))
}

const METADATA_MS = 600_000
const SIGN_IN: ShapesOf<SignInOptions> = {
  issuer: required(url()),
  client: required(bag({ id: required(text()), secret: required(text()) }, 'the client as { id, secret }')),
  redirectUri: required(url()),
  scopes: SCOPES,
  trustedHosts: HOSTS,
  fetch: FUNCTION,
  leewaySeconds: AMOUNT,
  now: FUNCTION,
}
