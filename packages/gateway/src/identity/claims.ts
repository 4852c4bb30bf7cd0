import type { JsonObject } from '@crosspoint/mcp'
import type { IssuerConfig } from '../config/model-auth.ts'
import { isNobody } from './nobody.ts'

/** Whose a token is, by what its claims say. */
export interface TokenBearer {
  readonly id: string
  readonly tenant: string
  readonly attributes: JsonObject
  /** Whom it is for. */
  readonly audience: readonly string[]
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/**
 * @param claims of a token that was checked
 * @throws {RangeError} where a claim is missing that says who calls
 */
export function toBearer(claims: JsonObject, issuer: IssuerConfig): TokenBearer {
  const { tenantClaim, principalClaim, rolesClaim } = issuer
  const id = toName(find(claims, principalClaim))
  const tenant = tenantClaim === undefined ? (issuer.tenant ?? issuer.issuer) : toName(find(claims, tenantClaim))
  if (isNobody(id, tenant)) throw new RangeError("Cannot tell whose token it is: it says that it is nobody's")
  return {
    id,
    tenant,
    attributes: {
      roles: rolesClaim === undefined ? [] : toRoles(find(claims, rolesClaim)),
      claims: toBounded(claims),
    },
    audience: [claims.aud].flat().filter((name) => typeof name === 'string'),
    expiresAt: Number(claims.exp) * 1_000,
  }
}

/** A claim by its name, which may hold dots as URLs do; else by the way to it: `realm_access.roles`. */
function find(claims: JsonObject, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name]
  let at: unknown = claims
  for (const step of name.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined
    at = (at as JsonObject)[step] // an object that has it
  }
  return at
}

/** Who somebody is: never cut, since two names could become one. */
function toName(value: unknown): string {
  if (typeof value === 'string' && value !== '' && value.length <= MAX_NAME && !CONTROLS.test(value)) return value
  throw new RangeError('Cannot tell whose token it is: a claim is missing, or is no name')
}

/** A list, or one text with spaces, as scopes are written. */
function toRoles(value: unknown): readonly string[] {
  const roles: readonly unknown[] = typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : []
  const isRole = (role: unknown) => typeof role === 'string' && role !== '' && role.length <= MAX_NAME
  return roles.filter(isRole).slice(0, MAX_ROLES) as readonly string[] // all are text
}

/** For rules to look at: what does not fit is left out, and so holds nowhere. */
function toBounded(claims: JsonObject): JsonObject {
  const kept: [string, unknown][] = []
  let left = MAX_CLAIMS
  for (const [name, value] of Object.entries(claims)) {
    left -= name.length + JSON.stringify(value).length
    if (left < 0) break
    kept.push([name, value])
  }
  return Object.fromEntries(kept)
}

const MAX_NAME = 256
const MAX_ROLES = 100
/** Letters of all claims together that are kept of one token. */
const MAX_CLAIMS = 8_192
const CONTROLS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u
