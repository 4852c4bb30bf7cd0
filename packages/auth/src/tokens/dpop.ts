import { base64url, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'
import { AuthError } from '../errors.ts'

/** Proofs that we hold the key a token is bound to (RFC 9449). */
export interface DpopKey {
  /** The key with its private part: for a store, nobody else. */
  readonly jwk: JWK
  /** A proof for one request, good for that request only. */
  prove(request: ProvenRequest): Promise<string>
}

export interface ProvenRequest {
  readonly method: string
  readonly url: string
  /** The token it goes with; undefined where it asks for one. */
  readonly accessToken?: string
  /** The last one the server gave. */
  readonly nonce?: string | undefined
}

export async function createDpopKey(): Promise<DpopKey> {
  const { privateKey } = await generateKeyPair(DPOP_ALGORITHM, { extractable: true })
  return importDpopKey(await exportJWK(privateKey))
}

/** @throws {AuthError} for what is no such key */
export async function importDpopKey(jwk: JWK): Promise<DpopKey> {
  const { kty, crv, x, y } = jwk
  if (kty !== 'EC' || crv !== 'P-256' || x === undefined || y === undefined) {
    throw new AuthError('internal.error', 'Cannot use the key of stored tokens: it is not one of ours')
  }
  const key = await importJWK(jwk, DPOP_ALGORITHM)
  const header = { alg: DPOP_ALGORITHM, typ: 'dpop+jwt', jwk: { kty, crv, x, y } }
  return {
    jwk,
    async prove({ method, url, accessToken, nonce }) {
      const { origin, pathname } = new URL(url)
      const claims = {
        htm: method,
        htu: `${origin}${pathname}`,
        ...(accessToken === undefined ? {} : { ath: await digest(accessToken) }),
        ...(nonce === undefined ? {} : { nonce }),
      }
      return new SignJWT(claims).setProtectedHeader(header).setIssuedAt().setJti(crypto.randomUUID()).sign(key)
    },
  }
}

async function digest(text: string): Promise<string> {
  return base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))))
}

/** Every server that knows DPoP at all knows this one. */
export const DPOP_ALGORITHM = 'ES256'
