import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import type { JsonObject } from '@crosspoint/mcp'

/** A key, and what is signed with it. */
export interface Signer {
  /** As a JWK (RFC 7517). */
  readonly publicKey: JsonObject
  /** A JWT of kind `at+jwt`, by ES256. */
  sign(claims: JsonObject, header?: JsonObject): string
}

export function createSigner(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const kid = randomUUID()
  return {
    publicKey: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' },
    sign: (claims, header = {}) =>
      toJwt({ alg: 'ES256', typ: 'at+jwt', kid, ...header }, claims, (text) =>
        sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }),
      ),
  }
}

/** A JWT with whatever signature. */
export function toJwt(header: JsonObject, claims: JsonObject, signature: (text: string) => Buffer): string {
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${text}.${signature(text).toString('base64url')}`
}
