import { joinPath } from './join-path.ts'
import type { AuthServerConfig, KnownClientConfig, PeopleMapping } from './model-auth-server.ts'
import type { WrittenAuth } from './schema.ts'

type Written = NonNullable<WrittenAuth['server']>

/** @param baseDir from where paths start */
export function toAuthServer(written: Written, baseDir: string): AuthServerConfig {
  const { upstream, clients, enterprise, registration, ttl, maxSessions, keyFile, key } = written
  return {
    ...(upstream === undefined
      ? {}
      : {
          upstream: {
            ...toMapping(upstream),
            clientId: upstream.clientId,
            clientSecret: upstream.clientSecret,
            scopes: upstream.scopes,
            ...(upstream.name === undefined ? {} : { name: upstream.name }),
          },
        }),
    clients: new Map(Object.entries(clients).map(([id, client]) => [id, toClient(client)])),
    enterprise: enterprise.map((one) => ({
      ...toMapping(one),
      ...(one.keys === undefined ? {} : { keys: one.keys }),
    })),
    registration,
    ttl,
    maxSessions,
    ...(keyFile === undefined ? {} : { keyFile: joinPath(baseDir, keyFile) }),
    ...(key === undefined ? {} : { key }),
  }
}

function toMapping({
  issuer,
  tenant,
  tenantClaim,
  principalClaim,
  rolesClaim,
}: Written['enterprise'][number]): PeopleMapping {
  return {
    issuer,
    ...(tenant === undefined ? {} : { tenant }),
    ...(tenantClaim === undefined ? {} : { tenantClaim }),
    principalClaim,
    ...(rolesClaim === undefined ? {} : { rolesClaim }),
  }
}

function toClient({ name, secret, keys, scopes, ...rest }: Written['clients'][string]): KnownClientConfig {
  return {
    ...rest,
    ...(name === undefined ? {} : { name }),
    ...(secret === undefined ? {} : { secret }),
    ...(keys === undefined ? {} : { keys }),
    ...(scopes === undefined ? {} : { scopes }),
  }
}
