import type { AuthorizationServer } from '../discovery/server-metadata.ts'
import { AuthError } from '../errors.ts'
import { asString, isObject, type JsonObject } from '../json.ts'
import { toRefusal } from '../tokens/token-request.ts'
import type { Answer, Http } from '../urls/http.ts'
import { isLoopbackHost } from '../urls/reach.ts'
import type { ClientIdentity, TokenAuthMethod } from './identity.ts'

/** A client that registered itself, and where people are sent back to. */
export interface RegisteredClient extends ClientIdentity {
  readonly origin: 'registered'
  /** Undefined for a client of the device flow: nobody is sent back. */
  readonly redirectUri: string | undefined
  /** Milliseconds since 1970. */
  readonly expiresAt: number | undefined
}

/**
 * Registers a client (RFC 7591), for refresh and for authorization code, or else the device flow.
 * @throws {AuthError} where the server will not have it
 */
export async function register(
  http: Http,
  server: AuthorizationServer,
  endpoint: string,
  name: string,
  redirectUri: string | undefined,
): Promise<RegisteredClient> {
  const wanted = toWantedMethod(server.tokenAuthMethods)
  const answer = await http.post(
    endpoint,
    'the registration endpoint',
    'application/json',
    JSON.stringify({
      client_name: name,
      redirect_uris: redirectUri === undefined ? [] : [redirectUri],
      grant_types: [redirectUri === undefined ? DEVICE_GRANT : 'authorization_code', 'refresh_token'],
      response_types: redirectUri === undefined ? [] : ['code'],
      token_endpoint_auth_method: wanted,
      application_type: redirectUri === undefined ? 'native' : toApplicationType(redirectUri),
    }),
  )
  return parseRegistration(answer, server, wanted, redirectUri)
}

/** @returns undefined for anything that is not such a client of this issuer */
export function parseStoredClient(value: unknown, issuer: string): RegisteredClient | undefined {
  if (!isObject(value)) return undefined
  const [id, redirectUri] = [asString(value.id), asString(value.redirectUri)]
  if (id === undefined || value.issuer !== issuer) return undefined
  return toRegistered(value, issuer, id, redirectUri, asMethod(value.authMethod) ?? 'none')
}

export function toStoredClient(client: RegisteredClient): JsonObject {
  return { ...client }
}

function parseRegistration(
  answer: Answer,
  server: AuthorizationServer,
  wanted: TokenAuthMethod,
  redirectUri: string | undefined,
): RegisteredClient {
  const { status, body } = answer
  if (status < 200 || status > 299 || body === undefined) throw toRefusal(answer, server.issuer)
  const id = asString(body.client_id)
  if (id === undefined) {
    throw new AuthError('peer.invalid', `Cannot use what "${server.issuer}" answers: there is no client id in it`)
  }
  const secret = asString(body.client_secret)
  const seconds = Number(body.client_secret_expires_at ?? 0) // 0 means never
  const given = { secret, expiresAt: secret !== undefined && seconds > 0 ? seconds * 1_000 : undefined }
  const said = asMethod(body.token_endpoint_auth_method) ?? wanted
  return toRegistered(given, server.issuer, id, redirectUri, said === 'none' || secret !== undefined ? said : 'none')
}

function toRegistered(
  { secret, expiresAt }: JsonObject,
  issuer: string,
  id: string,
  redirectUri: string | undefined,
  authMethod: TokenAuthMethod,
): RegisteredClient {
  const known = asString(secret)
  return {
    origin: 'registered',
    id,
    issuer,
    redirectUri,
    authMethod,
    ...(known === undefined ? {} : { secret: known }),
    expiresAt: typeof expiresAt === 'number' ? expiresAt : undefined,
  }
}

/** A client on somebody's machine keeps no secret: it asks for none where it can do without. */
function toWantedMethod(offered: readonly string[] | undefined): TokenAuthMethod {
  return PREFERRED.find((method) => offered === undefined || offered.includes(method)) ?? 'none'
}

function asMethod(value: unknown): TokenAuthMethod | undefined {
  return PREFERRED.find((method) => method === value)
}

/** `native` sends people back to their own machine, `web` to a server (OpenID Connect Registration §2). */
function toApplicationType(redirectUri: string): 'native' | 'web' {
  const { protocol, hostname } = new URL(redirectUri)
  return protocol === 'https:' && !isLoopbackHost(hostname) ? 'web' : 'native'
}

/** RFC 8628 §3.4. */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
const PREFERRED: readonly TokenAuthMethod[] = ['none', 'client_secret_basic', 'client_secret_post']
