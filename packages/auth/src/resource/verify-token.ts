import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose'
import { readServerMetadata } from '../discovery/server-metadata.ts'
import { AuthError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { checkOptions } from '../options/check.ts'
import { createHttp, platformFetch } from '../urls/http.ts'
import { createReach } from '../urls/reach.ts'
import { KeySet } from './key-set.ts'
import { expand, parseGranted } from './scopes.ts'
import { ALGORITHMS, type TokenOwner, VERIFY_TOKEN, type VerifyTokenOptions } from './verify-options.ts'

/** Whom a token is of, and what it is good for. */
export interface TokenPrincipal {
  readonly id: string
  readonly tenant: string
  /** With those that its own imply. */
  readonly scopes: readonly string[]
  readonly clientId: string | undefined
}

/** What a server of the engine takes as `authenticate`. */
export type VerifyToken<Owner extends TokenOwner = TokenOwner> = (
  headers: Readonly<Record<string, string | undefined>>,
) => Promise<Owner & TokenPrincipal>

/**
 * Checks the bearer tokens of callers (RFC 9068 §4): signature, issuer, audience, time and kind. Whoever is turned away
 * is told by an {@link AuthError} with a `challenge`, of which a server of the engine makes its answer.
 * @throws {TypeError} for options that would let anybody in, or nobody
 */
export function verifyToken<Owner extends TokenOwner = TokenOwner>(
  options: VerifyTokenOptions<Owner>,
): VerifyToken<Owner> {
  checkOptions('check tokens', options, VERIFY_TOKEN)
  const { resource, scopes = [], implied = {}, algorithms = ALGORITHMS, types = ['at+jwt'] } = options
  const { leewaySeconds = 30, now = Date.now } = options
  // Without a function of its own there is nothing an owner could have besides.
  const principal = options.principal ?? (toPrincipal as unknown as (claims: JsonObject) => Owner)
  const issuers = toIssuers(options, now)
  const audience = typeof resource === 'function' ? resource : () => [resource].flat()
  const unsafe = algorithms.find((name) => !ALGORITHMS.includes(name))
  if (unsafe !== undefined) throw new TypeError(`Cannot check tokens with "${unsafe}": use ${ALGORITHMS.join(', ')}`)
  const kinds = new Set(types.map(toKind))
  const needed = scopes.length === 0 ? {} : { scope: scopes.join(' ') }

  async function verify(token: string): Promise<JWTPayload> {
    const { typ } = decodeProtectedHeader(token)
    if (typeof typ !== 'string' || !kinds.has(toKind(typ))) throw new errors.JWTInvalid('Another kind of token')
    // Read before it is checked, only to know whose keys to check it with; those of nobody else are asked for.
    const { iss = '' } = decodeJwt(token)
    const keys = issuers.get(iss)
    if (keys === undefined) throw new errors.JWTInvalid('Another issuer')
    const { payload } = await jwtVerify(token, keys.find, {
      issuer: iss,
      audience: [...audience()],
      algorithms: [...algorithms],
      clockTolerance: leewaySeconds,
      currentDate: new Date(now()),
      requiredClaims: ['exp', 'aud', 'sub'],
    })
    if (typeof payload.sub !== 'string' || payload.sub === '') throw new errors.JWTInvalid('Of nobody')
    // Whoever holds a token that is bound to a key has to show the key (RFC 9449 §7.1), for which nobody looks here.
    if (payload.cnf !== undefined) throw new errors.JWTInvalid('Bound to a key')
    if (ID_TOKEN.some((claim) => payload[claim] !== undefined)) throw new errors.JWTInvalid('An ID token')
    return payload
  }

  return async ({ authorization }) => {
    const claims = await verify(toToken(authorization, needed)).catch((error: unknown) => {
      throw toRefusal(error, needed)
    })
    const granted = expand(parseGranted(claims), implied)
    if (!scopes.every((scope) => granted.includes(scope))) {
      throw new AuthError('caller.insufficient_scope', 'Cannot do this with the scopes of this token', undefined, {
        status: 403,
        error: 'insufficient_scope',
        ...needed,
      })
    }
    const clientId = typeof claims.client_id === 'string' ? claims.client_id : undefined
    return { ...principal(claims), scopes: granted, clientId }
  }
}

function toIssuers(
  options: Pick<VerifyTokenOptions, 'issuers' | 'trustedHosts' | 'fetch' | 'keysMaxAgeMs' | 'keysPauseMs'>,
  now: () => number,
): ReadonlyMap<string, KeySet> {
  const { issuers, trustedHosts = [], fetch = platformFetch } = options
  const { keysMaxAgeMs: maxAgeMs = 600_000, keysPauseMs: pauseMs = 30_000 } = options
  return new Map(
    issuers.map((given) => {
      const { issuer, keys } = typeof given === 'string' ? { issuer: given } : given
      // Where we were told that the keys are is our author's choice, as the issuer is.
      const chosen = typeof keys === 'string' ? [...trustedHosts, new URL(keys).hostname] : trustedHosts
      const http = createHttp({ fetch, reach: createReach({ server: new URL(issuer), trustedHosts: chosen }) })
      const read = async () => {
        if (typeof keys === 'object') return keys
        const url = keys ?? (await readServerMetadata(http, issuer)).keysUrl ?? ''
        const { status, body } = await http.get(url, 'the keys of an issuer')
        if (status === 200 && body !== undefined) return body
        throw new AuthError('peer.unavailable', `Cannot read the keys of an issuer: HTTP ${status}`)
      }
      return [issuer, new KeySet({ read, maxAgeMs, pauseMs, now })]
    }),
  )
}

/** The token of `Authorization`, and of nowhere else (RFC 6750 §2.1). */
function toToken(header: string | undefined, needed: { readonly scope?: string }): string {
  if (header === undefined || !/^bearer(?: |$)/i.test(header)) {
    throw new AuthError('caller.no_token', 'Cannot tell who is calling: sign in and send a bearer token', undefined, {
      status: 401,
      ...needed,
    })
  }
  const [, token] = /^bearer +([\w.~+/-]+=*) *$/i.exec(header) ?? []
  if (token !== undefined) return token
  throw new AuthError('caller.invalid_token', 'Cannot read "Authorization": it is not one bearer token', undefined, {
    status: 400,
    error: 'invalid_request',
  })
}

/** All that can be wrong with a token looks the same from outside. */
function toRefusal(error: unknown, needed: { readonly scope?: string }): AuthError {
  if (error instanceof AuthError) return new AuthError(error.code, error.message, undefined, { status: 503 })
  return new AuthError(
    'caller.invalid_token',
    'Cannot take this token: it is not valid here, or no longer',
    undefined,
    {
      status: 401,
      error: 'invalid_token',
      ...needed,
    },
  )
}

function toPrincipal({ sub, iss }: JsonObject): { readonly id: string; readonly tenant: string } {
  return { id: String(sub), tenant: String(iss) }
}

function toKind(typ: string): string {
  return typ.toLowerCase().replace(/^application\//, '')
}

/** What only tokens about a sign-in have (OpenID Connect Core §2, §3.3.2.11). */
const ID_TOKEN = ['nonce', 'at_hash', 'c_hash']
