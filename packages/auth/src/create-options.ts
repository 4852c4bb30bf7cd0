import type { GivenClient } from './client/identity.ts'
import type { DevicePrompt } from './grants/device-code.ts'
import type { IdentityProvider } from './grants/enterprise-managed.ts'
import type { Redirect } from './grants/redirect.ts'
import type { ExchangeTerms } from './grants/token-exchange.ts'
import type { Assertion } from './grants/workload-identity.ts'
import {
  AMOUNT,
  able,
  BOOLEAN,
  bag,
  FUNCTION,
  HOSTS,
  oneOf,
  required,
  type Shape,
  type Shapes,
  type ShapesOf,
  text,
  url,
} from './options/shape.ts'
import type { TokenStore } from './store.ts'
import type { Fetch } from './urls/http.ts'

/** What all ways to get tokens have in common. */
export interface AuthorizationOptions {
  /** Where tokens and registrations are kept. Default: in memory, for as long as the process lives. */
  readonly store?: TokenStore
  /** Whose tokens these are, where several people share a store. Default: nobody's in particular. */
  readonly account?: string
  /** Scopes to ask for besides those the server wants, separated by spaces. Default: none. */
  readonly scope?: string
  /** Takes tokens that are bound to a key, and no others (DPoP, RFC 9449). Default false. */
  readonly dpop?: boolean
  /** The one issuer whose tokens may be used, whatever servers say. Default: the one a server names. */
  readonly issuer?: string
  /**
   * Hosts that may be asked though they are inside a network: the authorization server of the company. Default: none;
   * what is neither public nor the MCP server's own host is refused.
   */
  readonly trustedHosts?: readonly string[]
  /** How requests to authorization servers are made. Default: the platform's `fetch`. */
  readonly fetch?: Fetch
  /** A request to an authorization server, its answer included. Default 5 s. */
  readonly requestTimeoutMs?: number
  /** Milliseconds since 1970. Default: the clock of the machine. */
  readonly now?: () => number
}

export interface OAuthOptions extends AuthorizationOptions {
  /** How the person gets to the page where they sign in, and back. */
  readonly redirect: Redirect
  /** A client registered by hand: used where there is one, whatever else a server offers. */
  readonly client?: GivenClient
  /** The https URL of our client metadata, which servers that know such URLs take as client id. */
  readonly clientMetadataUrl?: string
  /** What people are told who wants in, where a client registers itself. Default `Crosspoint`. */
  readonly clientName?: string
  /** How long a person may take. Default 5 minutes. */
  readonly signInTimeoutMs?: number
}

export interface DeviceCodeOptions
  extends AuthorizationOptions,
    Pick<OAuthOptions, 'client' | 'clientMetadataUrl' | 'clientName'> {
  /** Tells the person where to go, and with which code. */
  readonly show: (prompt: DevicePrompt) => void | Promise<void>
  /** How long a person may take at most, if the code is good for so long. Default 9 minutes. */
  readonly signInTimeoutMs?: number
  /** Gives up waiting for the person. Default: never. */
  readonly signal?: AbortSignal
  /** Waits between two questions; ends early when the signal aborts. Default: a timer. */
  readonly wait?: (ms: number, signal: AbortSignal | undefined) => Promise<void>
}

/** Whose sign-ins: the options with which somebody signed in, as far as they say that. */
export interface KeptSignInsOptions
  extends AuthorizationOptions,
    Pick<OAuthOptions, 'client' | 'clientMetadataUrl' | 'clientName'> {
  readonly store: TokenStore
}

export interface ClientCredentialsOptions extends AuthorizationOptions {
  /** The program's own registration: with a secret or, better, a private key. */
  readonly client: GivenClient
}

export interface EnterpriseManagedOptions extends AuthorizationOptions {
  /** Who we are to the authorization server of the MCP server. */
  readonly client: GivenClient
  readonly identityProvider: IdentityProvider
}

export interface TokenExchangeOptions
  extends ExchangeTerms,
    Pick<AuthorizationOptions, 'trustedHosts' | 'fetch' | 'requestTimeoutMs' | 'now'> {}

export interface WorkloadIdentityOptions extends AuthorizationOptions {
  readonly client: GivenClient
  /** What the platform says about this program. */
  readonly assertion: Assertion
}

const CLIENT_MEMBERS: ShapesOf<GivenClient> = {
  id: required(text('the client id, as the authorization server gave it')),
  secret: text('the secret of the client; one with a "privateKey", or with authMethod "none", has no such member'),
  privateKey: {
    wanted: 'a key as PEM or JWK, or one of WebCrypto',
    fits: (value) => (typeof value === 'string' ? value !== '' : typeof value === 'object' && value !== null),
  },
  algorithm: text('the name of an algorithm, such as "ES256"'),
  keyId: text(),
  authMethod: oneOf('none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'),
  issuer: url(),
}

/** @param doesProve whether it can do nothing without showing a secret or a key (RFC 6749 §4.4: no public client) */
function client(doesProve: boolean, members: Shapes = CLIENT_MEMBERS): Shape {
  const { authMethod: method } = CLIENT_MEMBERS
  return {
    ...bag(members, 'the client that was registered, such as { id: "my-client" }'),
    lacks(value) {
      const { secret, privateKey, authMethod } = value
      if (secret !== undefined || privateKey !== undefined || !method.fits(authMethod ?? 'none')) return undefined
      const isAsked = doesProve ? authMethod !== 'none' : authMethod !== undefined && authMethod !== 'none'
      if (isAsked || Object.hasOwn(value, 'secret')) return 'secret'
      return Object.hasOwn(value, 'privateKey') ? 'privateKey' : undefined
    },
  }
}

const ASSERTION: Shape = {
  wanted: 'the signed statement, or a function that gets one',
  fits: (value) => typeof value === 'function' || (typeof value === 'string' && value !== ''),
}
const COMMON: ShapesOf<AuthorizationOptions> = {
  store: able('a store, such as createMemoryStore()', 'read', 'write', 'exclusively'),
  account: { wanted: 'text', fits: (value) => typeof value === 'string' },
  scope: { wanted: 'scopes in one text, separated by spaces', fits: (value) => typeof value === 'string' },
  dpop: BOOLEAN,
  issuer: url(),
  trustedHosts: HOSTS,
  fetch: FUNCTION,
  requestTimeoutMs: AMOUNT,
  now: FUNCTION,
}
const { issuer: _, ...PROVIDER_CLIENT } = CLIENT_MEMBERS
const PROVIDER: ShapesOf<IdentityProvider> = {
  issuer: required(url()),
  tokenEndpoint: url(),
  client: required(client(false, PROVIDER_CLIENT)),
  idToken: required(ASSERTION),
}

export const OAUTH: ShapesOf<OAuthOptions> = {
  ...COMMON,
  redirect: required(able('a redirect, such as createLoopbackRedirect() of "@crosspoint/auth/node"', 'open')),
  client: client(false),
  clientMetadataUrl: { wanted: 'an https URL with a path', fits: (value) => typeof value === 'string' },
  clientName: text(),
  signInTimeoutMs: AMOUNT,
}
const { redirect: _redirect, ...PERSON } = OAUTH
export const DEVICE_CODE: ShapesOf<DeviceCodeOptions> = {
  ...PERSON,
  show: required({ wanted: 'a function that shows where to go', fits: (value) => typeof value === 'function' }),
  signal: { wanted: 'an AbortSignal', fits: (value) => value instanceof AbortSignal },
  wait: FUNCTION,
}
const { signInTimeoutMs: _time, ...KEPT } = PERSON
export const KEPT_SIGN_INS: ShapesOf<KeptSignInsOptions> = { ...KEPT, store: required(COMMON.store) }
export const CLIENT_CREDENTIALS: ShapesOf<ClientCredentialsOptions> = { ...COMMON, client: required(client(true)) }
export const ENTERPRISE_MANAGED: ShapesOf<EnterpriseManagedOptions> = {
  ...COMMON,
  client: required(client(false)),
  identityProvider: required(bag(PROVIDER, 'the identity provider, as { issuer, client, idToken }')),
}
export const WORKLOAD_IDENTITY: ShapesOf<WorkloadIdentityOptions> = {
  ...COMMON,
  client: required(client(false)),
  assertion: required(ASSERTION),
}
export const TOKEN_EXCHANGE: ShapesOf<TokenExchangeOptions> = {
  issuer: required(url()),
  tokenEndpoint: url(),
  client: required(client(true, PROVIDER_CLIENT)),
  audience: text('the name of the server at the issuer'),
  resource: url(),
  scope: COMMON.scope,
  trustedHosts: HOSTS,
  fetch: FUNCTION,
  requestTimeoutMs: AMOUNT,
  now: FUNCTION,
}
