import { joinPath } from './join-path.ts'
import type { ClientConfig, SecretConfig, ServerAuthConfig, VaultConfig } from './model-secrets.ts'
import type { WrittenConfig, WrittenServer } from './schema.ts'

export function toSecret({ env, file, vault = '' }: WrittenConfig['secrets'][string], baseDir: string): SecretConfig {
  if (env !== undefined) return { kind: 'env', variable: env }
  return file === undefined ? { kind: 'vault', name: vault } : { kind: 'file', path: joinPath(baseDir, file) }
}

export function toVault(
  { key, keyFile, previousKeys, previousKeyFiles }: WrittenConfig['vault'],
  baseDir: string,
): VaultConfig {
  return {
    ...(key === undefined ? {} : { key }),
    ...(keyFile === undefined ? {} : { keyFile: joinPath(baseDir, keyFile) }),
    previousKeys,
    previousKeyFiles: previousKeyFiles.map((path) => joinPath(baseDir, path)),
  }
}

/** Checked before: what a kind needs is there, and nothing that it has no use for. */
export function toServerAuth(auth: NonNullable<WrittenServer['auth']>, url: string): ServerAuthConfig {
  const { kind, issuer, scopes, trustedHosts, clientMetadataUrl, tokenEndpoint, audience, resource = url } = auth
  const client = toClient(auth)
  const discovery = auth.discovery === undefined ? {} : { discovery: auth.discovery }
  const given = client ?? { id: '' }
  switch (kind) {
    case 'oauth':
      return {
        kind,
        ...(issuer === undefined ? {} : { issuer }),
        ...(client === undefined ? {} : { client }),
        ...(clientMetadataUrl === undefined ? {} : { clientMetadataUrl }),
        scopes,
        trustedHosts,
        ...discovery,
      }
    case 'client-credentials':
      return { kind, client: given, ...(issuer === undefined ? {} : { issuer }), scopes, trustedHosts }
    case 'exchange':
      return {
        kind,
        client: given,
        issuer: issuer ?? '',
        ...(tokenEndpoint === undefined ? {} : { tokenEndpoint }),
        ...(audience === undefined ? {} : { audience }),
        resource,
        scopes,
        trustedHosts,
        ...discovery,
      }
  }
}

function toClient({
  clientId,
  clientSecret,
  privateKey,
  algorithm,
  keyId,
}: NonNullable<WrittenServer['auth']>): ClientConfig | undefined {
  if (clientId === undefined) return undefined
  return {
    id: clientId,
    ...(clientSecret === undefined ? {} : { secret: clientSecret }),
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(algorithm === undefined ? {} : { algorithm }),
    ...(keyId === undefined ? {} : { keyId }),
  }
}
