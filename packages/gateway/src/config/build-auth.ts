import { toAuthServer } from './build-auth-server.ts'
import type { AuthConfig, IssuerConfig } from './model-auth.ts'
import type { WrittenAuth } from './schema.ts'

export function toAuth({ resource, issuers, stdio, keys, tokens, server }: WrittenAuth, baseDir: string): AuthConfig {
  return {
    ...(resource === undefined ? {} : { resource: resource.replace(/\/+$/, '') }),
    keys,
    tokens,
    issuers: issuers.map(toIssuer),
    ...(stdio === undefined ? {} : { stdio }),
    ...(server === undefined ? {} : { server: toAuthServer(server, baseDir) }),
  }
}

function toIssuer(written: WrittenAuth['issuers'][number]): IssuerConfig {
  const { issuer, audience = [], keys, algorithms, types, tenant, tenantClaim, rolesClaim } = written
  return {
    issuer,
    audience,
    ...(keys === undefined ? {} : { keys }),
    ...(algorithms === undefined ? {} : { algorithms }),
    types,
    ...(tenant === undefined ? {} : { tenant }),
    ...(tenantClaim === undefined ? {} : { tenantClaim }),
    principalClaim: written.principalClaim,
    ...(rolesClaim === undefined ? {} : { rolesClaim }),
    scopesImplied: new Map(Object.entries(written.scopesImplied)),
  }
}
