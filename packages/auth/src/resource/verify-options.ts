import { isObject, type JsonObject } from '../json.ts'
import {
  AMOUNT,
  bag,
  FUNCTION,
  HOSTS,
  isPlainUrl,
  list,
  required,
  SCOPES,
  type Shape,
  type ShapesOf,
  text,
  url,
} from '../options/shape.ts'
import type { Fetch } from '../urls/http.ts'

/** Somebody whose tokens are taken. */
export interface TrustedIssuer {
  /** As in `iss` and in its metadata, to the letter. */
  readonly issuer: string
  /** Its keys: where they are, or they themselves (RFC 7517). Default: where its metadata says. */
  readonly keys?: string | JsonObject
}

/** Who a token is of. What else is returned goes along. */
export interface TokenOwner {
  readonly id: string
  readonly tenant: string
}

export interface VerifyTokenOptions<Owner extends TokenOwner = TokenOwner> {
  /**
   * How tokens name this server (RFC 8707): a token is for us when one of its audiences is one of these exactly. A
   * function is asked for each token, where names come and go.
   */
  readonly resource: string | readonly string[] | (() => readonly string[])
  readonly issuers: readonly (string | TrustedIssuer)[]
  /** Scopes without which nothing can be done here; 403 names them. Default: none. */
  readonly scopes?: readonly string[]
  /** Narrower scopes that a broader one is good for: `{ admin: ['read', 'write'] }`. Default: none. */
  readonly implied?: Readonly<Record<string, readonly string[]>>
  /** Signatures that are taken, all with public keys. Default: RS, PS and ES of 256 to 512, EdDSA. */
  readonly algorithms?: readonly string[]
  /**
   * The `typ` of tokens. Default `at+jwt` (RFC 9068). For issuers that write `JWT`, name that too: ID tokens are
   * refused then by what they say.
   */
  readonly types?: readonly string[]
  /** How far clocks may be apart. Default 30 s. */
  readonly leewaySeconds?: number
  /** Who a token is of; throws for nobody. Default: `sub`, in the tenant that its issuer is. */
  readonly principal?: (claims: JsonObject) => Owner
  /** Hosts inside our network that may be asked for keys. Default: those named in `issuers`. */
  readonly trustedHosts?: readonly string[]
  /** Default: the platform's. That of `@crosspoint/auth/node` pins addresses. */
  readonly fetch?: Fetch
  /** How long keys are used before they are read anew. Default 10 minutes; six times that where they cannot be read. */
  readonly keysMaxAgeMs?: number
  /** Between two readings of keys, whatever tokens name. Default 30 s. */
  readonly keysPauseMs?: number
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number
}

export const ALGORITHMS: readonly string[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]

/**
 * RFC 8707 §2: an absolute URI. Some issuers name a server by an id of theirs, which may stand beside it; alone it is
 * more often a slip.
 */
const RESOURCE: Shape = {
  wanted: 'the URL that tokens name this server by, such as "https://mcp.example.com/mcp", or a list with one in it',
  isShown: true,
  fits: (value) => {
    if (typeof value === 'function') return true
    const names: readonly unknown[] = [value].flat()
    return names.every((name) => typeof name === 'string' && name !== '') && names.some(isAbsolute)
  },
}

function isAbsolute(name: unknown): boolean {
  return (
    typeof name === 'string' &&
    URL.canParse(name) &&
    !name.includes('#') &&
    /^(?:[a-z][a-z0-9+.-]*:\/\/|urn:)/i.test(name)
  )
}

const KEYS: Shape = {
  wanted: 'the URL of its keys, or the keys as { keys: […] }',
  fits: (value) => (typeof value === 'string' ? isPlainUrl(value) : isObject(value) && Array.isArray(value.keys)),
}
const ISSUER_MEMBERS: ShapesOf<TrustedIssuer> = { issuer: required(url()), keys: KEYS }
const ISSUER: Shape = {
  ...bag(ISSUER_MEMBERS, 'the http(s) URL of an issuer, such as "https://auth.example.com", or { issuer, keys }'),
  isShown: true,
  fits: (value) => (typeof value === 'string' ? isPlainUrl(value) : isObject(value)),
}

export const VERIFY_TOKEN: ShapesOf<VerifyTokenOptions> = {
  resource: required(RESOURCE),
  issuers: required(list(ISSUER, 'a list of those who give tokens, such as ["https://auth.example.com"]', false)),
  scopes: SCOPES,
  implied: {
    wanted: 'lists of narrower scopes by broader one, such as { admin: ["read"] }',
    fits: (value) => isObject(value) && Object.values(value).every(SCOPES.fits),
  },
  algorithms: list(text(), 'a list of algorithms, such as ["ES256"]', false),
  types: list(text(), 'a list of kinds of tokens, such as ["at+jwt"]', false),
  leewaySeconds: AMOUNT,
  principal: FUNCTION,
  trustedHosts: HOSTS,
  fetch: FUNCTION,
  keysMaxAgeMs: AMOUNT,
  keysPauseMs: AMOUNT,
  now: FUNCTION,
}
