import { AuthError } from '../errors.ts'
import { asString, asStrings, type JsonObject } from '../json.ts'
import type { Http } from '../urls/http.ts'
import { parseUrl } from '../urls/parse.ts'

/** What an authorization server says about itself (RFC 8414, OpenID Connect Discovery). */
export interface AuthorizationServer {
  /** As it and whoever named it wrote it: compared as a string, never normalised (RFC 8414 §3.3). */
  readonly issuer: string
  readonly authorizationEndpoint: string | undefined
  readonly tokenEndpoint: string
  /** RFC 8628 §4. */
  readonly deviceEndpoint: string | undefined
  readonly registrationEndpoint: string | undefined
  readonly scopes: readonly string[]
  /** Undefined where it does not say, which means `client_secret_basic` (RFC 8414 §2). */
  readonly tokenAuthMethods: readonly string[] | undefined
  readonly tokenAuthAlgorithms: readonly string[] | undefined
  /** It proves itself in its answers to the person's browser (RFC 9207). */
  readonly namesItself: boolean
  /** A client may be introduced by the URL of its metadata. */
  readonly takesClientUrls: boolean
  readonly hasPkce: boolean
  readonly dpopAlgorithms: readonly string[]
  /** Where the keys are that it signs tokens with. */
  readonly keysUrl: string | undefined
  /** Nothing was found: the places that 2025-03-26 (basic/authorization, 2.3.3) has every server use. */
  readonly isGuessed: boolean
}

/** @throws {AuthError} where there is no metadata, or that of another issuer (mix-up, trap 46) */
export async function readServerMetadata(http: Http, issuer: string): Promise<AuthorizationServer> {
  for (const place of toPlaces(issuer)) {
    const { status, body } = await http.get(place, WHAT)
    if (status === 200 && body !== undefined) return parse(body, (said) => said === issuer)
  }
  throw new AuthError('peer.unavailable', `Cannot read ${WHAT}: it is at none of the places where it should be`)
}

/**
 * The authorization server of an MCP server that has no resource metadata: at its own origin, at places fixed by
 * 2025-03-26 where it has no metadata either.
 */
export async function readOwnMetadata(http: Http, server: URL): Promise<AuthorizationServer> {
  const { origin } = server
  for (const place of toPlaces(origin)) {
    const { status, body } = await http.get(place, WHAT)
    // Nobody named this issuer, we made it up: with a slash at the end it is the same.
    if (status === 200 && body !== undefined) return parse(body, (said) => said === origin || said === `${origin}/`)
  }
  return guessMetadata(origin)
}

export function guessMetadata(origin: string): AuthorizationServer {
  return {
    issuer: origin,
    authorizationEndpoint: `${origin}/authorize`,
    tokenEndpoint: `${origin}/token`,
    deviceEndpoint: undefined,
    registrationEndpoint: `${origin}/register`,
    scopes: [],
    tokenAuthMethods: undefined,
    tokenAuthAlgorithms: undefined,
    namesItself: false,
    takesClientUrls: false,
    hasPkce: true, // required of all of them
    dpopAlgorithms: [],
    keysUrl: undefined,
    isGuessed: true,
  }
}

function toPlaces(issuer: string): readonly string[] {
  const url = parseUrl(issuer)
  if (url === undefined || url.search !== '' || url.hash !== '') {
    throw new AuthError('peer.invalid', `Cannot use ${WHAT}: its issuer is no URL that could be one`)
  }
  const { origin } = url
  const path = url.pathname.replace(/\/$/, '')
  const places = [`${origin}${OAUTH}${path}`, `${origin}${OPENID}${path}`]
  return path === '' ? places : [...places, `${origin}${path}${OPENID}`]
}

function parse(body: JsonObject, isExpected: (issuer: string) => boolean): AuthorizationServer {
  const issuer = asString(body.issuer)
  if (issuer === undefined || !isExpected(issuer)) {
    throw new AuthError('peer.invalid', `Cannot use ${WHAT}: it is that of another issuer`)
  }
  const tokenEndpoint = asString(body.token_endpoint)
  if (tokenEndpoint === undefined) throw new AuthError('peer.invalid', `Cannot use ${WHAT}: it has no token endpoint`)
  return {
    issuer,
    authorizationEndpoint: asString(body.authorization_endpoint),
    tokenEndpoint,
    deviceEndpoint: asString(body.device_authorization_endpoint),
    registrationEndpoint: asString(body.registration_endpoint),
    scopes: asStrings(body.scopes_supported) ?? [],
    tokenAuthMethods: asStrings(body.token_endpoint_auth_methods_supported),
    tokenAuthAlgorithms: asStrings(body.token_endpoint_auth_signing_alg_values_supported),
    namesItself: body.authorization_response_iss_parameter_supported === true,
    takesClientUrls: body.client_id_metadata_document_supported === true,
    hasPkce: asStrings(body.code_challenge_methods_supported)?.includes('S256') === true,
    dpopAlgorithms: asStrings(body.dpop_signing_alg_values_supported) ?? [],
    keysUrl: asString(body.jwks_uri),
    isGuessed: false,
  }
}

const OAUTH = '/.well-known/oauth-authorization-server'
const OPENID = '/.well-known/openid-configuration'
const WHAT = 'the metadata of the authorization server'
