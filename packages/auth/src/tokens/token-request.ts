import { toClientAuthentication } from '../client/client-authentication.ts'
import type { ClientIdentity } from '../client/identity.ts'
import type { AuthorizationServer } from '../discovery/server-metadata.ts'
import { AuthError } from '../errors.ts'
import { asString, type JsonObject } from '../json.ts'
import type { Answer, Http } from '../urls/http.ts'
import { DPOP_ALGORITHM, type DpopKey } from './dpop.ts'
import type { Nonces } from './nonces.ts'
import { asToken } from './token-set.ts'

export interface TokenRequest {
  readonly http: Http
  readonly nonces: Nonces
  readonly server: AuthorizationServer
  readonly client: ClientIdentity
  /** `grant_type` and what belongs to it. */
  readonly params: Readonly<Record<string, string>>
  /** Where the token is to be bound to a key. */
  readonly key?: DpopKey | undefined
}

/** What a token endpoint gave. */
export interface TokenResponse {
  readonly accessToken: string
  /** In lower case. */
  readonly type: string
  readonly expiresInMs: number | undefined
  readonly refreshToken: string | undefined
  readonly scope: string | undefined
  /** RFC 8693 §2.2.1, of an exchange. */
  readonly issuedTokenType: string | undefined
}

/**
 * Asks a token endpoint (RFC 6749 §3.2), once more where it wants a nonce in the proof (RFC 9449 §8).
 * @throws {AuthError} `peer.refused` with the server's word for why
 */
export async function requestToken(request: TokenRequest): Promise<TokenResponse> {
  return parse(await sendTokenRequest(request), request.server.issuer)
}

/**
 * As {@link requestToken}, with all that the server answers.
 * @throws {AuthError}
 */
export async function sendTokenRequest(request: TokenRequest): Promise<JsonObject> {
  const { server, key } = request
  if (key !== undefined && !server.isGuessed && !server.dpopAlgorithms.includes(DPOP_ALGORITHM)) {
    throw new AuthError('policy.insecure', `Cannot bind tokens to a key: "${server.issuer}" does not offer DPoP`)
  }
  let answer = await send(request)
  if (answer.status >= 400 && answer.body?.error === 'use_dpop_nonce' && key !== undefined) answer = await send(request)
  const { status, body } = answer
  if (status < 200 || status > 299 || body === undefined) throw toRefusal(answer, server.issuer)
  return body
}

async function send({ http, nonces, server, client, params, key }: TokenRequest): Promise<Answer> {
  const url = server.tokenEndpoint
  const authentication = await toClientAuthentication(client, server)
  const headers: Record<string, string> = { ...authentication.headers }
  if (key !== undefined) headers.dpop = await key.prove({ method: 'POST', url, nonce: nonces.of(url) })
  const body = new URLSearchParams({ ...params, ...authentication.params }).toString()
  const answer = await http.post(url, 'the token endpoint', 'application/x-www-form-urlencoded', body, headers)
  nonces.keep(url, answer.headers.get('dpop-nonce'))
  return answer
}

/** A refusal, in the server's word where it has one. Its longer text may repeat what we sent, and is left out. */
export function toRefusal({ status, body }: Answer, issuer: string): AuthError {
  const said = asString(body?.error)
  const word = said !== undefined && WORD.test(said) ? said : undefined
  const reason = word === undefined ? `HTTP ${status}` : `"${word}"`
  const hint = HINTS.get(word ?? '')
  return new AuthError(
    status >= 500 && word === undefined ? 'peer.unavailable' : 'peer.refused',
    `The authorization server "${issuer}" refuses: ${reason}${hint === undefined ? '' : `; ${hint}`}`,
    word,
  )
}

function parse(body: JsonObject, issuer: string): TokenResponse {
  const accessToken = asToken(body.access_token)
  const type = asString(body.token_type)?.toLowerCase()
  if (accessToken === undefined || type === undefined) {
    throw new AuthError('peer.invalid', `Cannot use what "${issuer}" answers: there is no token in it`)
  }
  const seconds = Number(body.expires_in ?? Number.NaN) // some write it as text
  return {
    accessToken,
    type,
    expiresInMs: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined,
    refreshToken: asToken(body.refresh_token),
    scope: asString(body.scope),
    issuedTokenType: asString(body.issued_token_type),
  }
}

/** RFC 6749 §5.2. */
const WORD = /^[\x20\x21\x23-\x5b\x5d-\x7e]{1,64}$/
const HINTS: ReadonlyMap<string, string> = new Map([
  ['invalid_client', 'it does not know this client, or its secret is another'],
  ['invalid_grant', 'what was to be exchanged is expired, was used already, or is for somebody else'],
  ['invalid_scope', 'ask for other scopes'],
  ['invalid_target', 'it gives no tokens for this server'],
  ['unauthorized_client', 'this client may not ask in this way'],
  ['unsupported_grant_type', 'it does not give tokens in this way'],
  ['access_denied', 'somebody said no'],
])
