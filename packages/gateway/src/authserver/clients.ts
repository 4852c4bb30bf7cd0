import type { JsonObject } from '@crosspoint/mcp'
import type { Client, ClientMetadata } from 'oidc-provider'
import { isLoopbackHost } from '../config/hosts.ts'
import type { KnownClientConfig } from '../config/model-auth-server.ts'
import type { ShownClient } from './pages.ts'

export const GRANT = {
  code: 'authorization_code',
  refresh: 'refresh_token',
  device: 'urn:ietf:params:oauth:grant-type:device_code',
  credentials: 'client_credentials',
  assertion: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
} as const

/** A client of the configuration, as the provider knows clients. */
export function toKnownClient(id: string, client: KnownClientConfig): ClientMetadata {
  const { name, secret, keys, redirectUris, credentials, enterprise } = client
  const method = keys !== undefined ? 'private_key_jwt' : secret === undefined ? 'none' : 'client_secret_basic'
  return {
    client_id: id,
    ...(name === undefined ? {} : { client_name: name }),
    ...(secret === undefined ? {} : { client_secret: secret }),
    ...(keys === undefined ? {} : { jwks_uri: keys }),
    token_endpoint_auth_method: method,
    application_type: redirectUris.some(isLoopback) ? 'native' : 'web',
    redirect_uris: [...redirectUris],
    response_types: redirectUris.length === 0 ? [] : ['code'],
    grant_types: [
      ...(redirectUris.length === 0 ? [] : [GRANT.code, GRANT.refresh]),
      ...(credentials ? [GRANT.credentials] : []),
      ...(enterprise ? [GRANT.assertion] : []),
    ],
  }
}

/**
 * What a client says of itself (RFC 7591), as far as it may: where people may be sent back to, for whom a code is good
 * (basic/authorization, security: https or this machine), and what it can do. A client of an id it chose itself never
 * calls without somebody signed in.
 * @throws {RangeError} what is wrong, in words for its author
 */
export function toMetadata(said: JsonObject): JsonObject {
  const uris = toTexts(said.redirect_uris, 'redirect_uris', MAX_URIS)
  const grants = toTexts(said.grant_types ?? [GRANT.code], 'grant_types', MAX_URIS).filter((one) => OWN_GRANTS.has(one))
  const needsUris = grants.includes(GRANT.code) || grants.length === 0
  if (needsUris && uris.length === 0) throw new RangeError('redirect_uris must name where people are sent back to')
  for (const uri of uris) checkRedirect(uri)
  const { application_type: type = uris.some(isLoopback) ? 'native' : 'web', client_name: name } = said
  if (type !== 'native' && type !== 'web') throw new RangeError('application_type must be native or web')
  if (name !== undefined && (typeof name !== 'string' || name.length > MAX_NAME)) {
    throw new RangeError(`client_name must be a text of at most ${MAX_NAME} letters`)
  }
  // Scopes are asked for with each request; what is not known here would be refused.
  const {
    scope: _,
    software_statement: __,
    jwks,
    jwks_uri,
    ...rest
  } = Object.fromEntries(Object.entries(said).filter(([key]) => TAKEN.has(key)))
  return {
    ...rest,
    ...(jwks === undefined ? {} : { jwks }),
    ...(jwks_uri === undefined ? {} : { jwks_uri }),
    application_type: type,
    redirect_uris: uris,
    grant_types: grants.length === 0 ? [GRANT.code] : grants,
    response_types: needsUris ? ['code'] : [],
  }
}

/** What people are shown of a client that wants them to sign in. */
export function toShown(client: Client, redirectUri: unknown): ShownClient {
  const id = client.clientId
  const host = /^https:\/\//.test(id) ? new URL(id).host : undefined
  const uri = typeof redirectUri === 'string' && URL.canParse(redirectUri) ? new URL(redirectUri) : undefined
  const uris = client.redirectUris ?? []
  return {
    name: client.clientName ?? host ?? id,
    host,
    redirectHost: uri?.host,
    isLocalOnly: uris.length > 0 && uris.every(isLoopback),
  }
}

function checkRedirect(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(url.hostname))
  if (!isSafe || text.length > MAX_URI || text.includes('#') || url?.username !== '' || url.password !== '') {
    throw new RangeError('redirect_uris must be https, or http at localhost, without a fragment')
  }
}

function toTexts(value: unknown, name: string, max: number): string[] {
  const list = value ?? []
  if (Array.isArray(list) && list.length <= max && list.every((item) => typeof item === 'string')) return list
  throw new RangeError(`${name} must be a list of at most ${max} texts`)
}

function isLoopback(uri: string): boolean {
  return URL.canParse(uri) && isLoopbackHost(new URL(uri).hostname)
}

const MAX_URIS = 20
const MAX_URI = 2_048
const MAX_NAME = 128
const OWN_GRANTS: ReadonlySet<string> = new Set([GRANT.code, GRANT.refresh, GRANT.device])
const TAKEN: ReadonlySet<string> = new Set([
  ...['client_id', 'client_name', 'client_uri', 'redirect_uris', 'grant_types', 'response_types', 'application_type'],
  ...['token_endpoint_auth_method', 'jwks', 'jwks_uri', 'scope', 'policy_uri', 'tos_uri', 'logo_uri'],
])
