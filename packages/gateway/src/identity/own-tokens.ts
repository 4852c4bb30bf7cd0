import type { JsonObject } from '@crosspoint/mcp'
import type { IssuerConfig } from '../config/model-auth.ts'

/** Tokens that this gateway gives itself: whoever checks them asks nobody else. */
export interface OwnTokens {
  /** What they are signed with (JWKS): the same object as long as it is the same. */
  keys(): Promise<JsonObject>
  /** Whether what somebody agreed to still holds; rejects where that cannot be found out. */
  isLive(grant: string): boolean | Promise<boolean>
}

/** How such tokens are read. */
export function toOwnIssuer(issuer: string): IssuerConfig {
  return {
    issuer,
    audience: [],
    algorithms: ['ES256'],
    types: ['at+jwt'],
    tenantClaim: 'tenant',
    principalClaim: 'sub',
    rolesClaim: 'roles',
    scopesImplied: new Map(),
  }
}
