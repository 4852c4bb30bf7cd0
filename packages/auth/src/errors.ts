/** Everything that can go wrong, grouped by whose fault it is. */
export type AuthErrorCode =
  /** A server cannot be reached, is too slow or says too much. */
  | 'peer.unavailable'
  /** What a server says does not hold: metadata of another shape, of another issuer, for another resource. */
  | 'peer.invalid'
  /** The authorization server says no; `refusal` is its word for why. */
  | 'peer.refused'
  /** Nobody signed in: declined, or took too long. */
  | 'caller.declined'
  /** The authorization server does not know this client, and there is no way to introduce it. */
  | 'caller.no_client'
  /** A caller of ours has no token, or one that is not good here: `challenge` is what it is told. */
  | 'caller.no_token'
  | 'caller.invalid_token'
  | 'caller.insufficient_scope'
  /** A URL that is never asked: not https, or inside somebody's network. */
  | 'policy.forbidden_url'
  /** Going on would be less safe than the protocol allows. */
  | 'policy.insecure'
  | 'internal.error'

/** How a server turns a caller away: an HTTP status, and what its challenge says (RFC 6750 §3). */
export interface TokenChallenge {
  readonly status: 400 | 401 | 403 | 503
  readonly error?: string
  /** All scopes that are needed, separated by spaces. */
  readonly scope?: string
}

/**
 * The one error class of this package. The message says what was being done and what would help. It never holds a
 * token, a code, a key or a secret, and nothing about hosts that were not to be asked.
 */
export class AuthError extends Error {
  readonly code: AuthErrorCode
  /** What an authorization server answered, such as `invalid_grant` (RFC 6749 §5.2). */
  readonly refusal: string | undefined
  /** For the one who called us, from `verifyToken`; a server of the engine sends it. */
  readonly challenge: TokenChallenge | undefined

  constructor(code: AuthErrorCode, message: string, refusal?: string, challenge?: TokenChallenge) {
    super(printable(message))
    this.name = 'AuthError'
    this.code = code
    this.refusal = refusal
    this.challenge = challenge
  }
}

/** Sentences may hold words of a server: short, on one line, and without what a terminal would act on. */
function printable(message: string): string {
  const start = message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}…` : message
  return start.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\uFFFD')
}

const MAX_MESSAGE = 500
