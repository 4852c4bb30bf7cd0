import type { JWK } from 'jose'
import { asString, asStrings, isObject, type JsonObject } from '../json.ts'

/** What one sign-in brought, with all that is needed to use and to renew it. */
export interface TokenSet {
  readonly accessToken: string
  /** `dpop`: every request needs a proof made with `key` (RFC 9449). */
  readonly type: 'bearer' | 'dpop'
  readonly key: JWK | undefined
  /** Milliseconds since 1970; undefined where nobody said. */
  readonly expiresAt: number | undefined
  readonly refreshToken: string | undefined
  /** Scopes asked for, and those granted where the server said which. */
  readonly asked: readonly string[]
  readonly granted: readonly string[]
  readonly resource: string
  readonly issuer: string
  readonly clientId: string
}

/** @returns undefined for anything that is not what {@link toStored} made */
export function parseStored(value: unknown): TokenSet | undefined {
  if (!isObject(value)) return undefined
  const { type, key, expiresAt } = value
  const [accessToken, resource, issuer, clientId] = [
    asToken(value.accessToken),
    asString(value.resource),
    asString(value.issuer),
    asString(value.clientId),
  ]
  if (accessToken === undefined || resource === undefined || issuer === undefined || clientId === undefined) {
    return undefined
  }
  if (type !== 'bearer' && (type !== 'dpop' || !isObject(key))) return undefined
  return {
    accessToken,
    type,
    key: type === 'dpop' ? (key as JWK) : undefined, // what it holds is for the cryptography to judge
    expiresAt: typeof expiresAt === 'number' ? expiresAt : undefined,
    refreshToken: asString(value.refreshToken),
    asked: asStrings(value.asked) ?? [],
    granted: asStrings(value.granted) ?? [],
    resource,
    issuer,
    clientId,
  }
}

export function toStored(tokens: TokenSet): JsonObject {
  return { ...tokens }
}

/** A token that can stand in a header: visible ASCII, and not endless (RFC 6750 §2.1 allows less). */
export function asToken(value: unknown): string | undefined {
  return typeof value === 'string' && TOKEN.test(value) ? value : undefined
}

const TOKEN = /^[\x21-\x7e]{1,12000}$/
