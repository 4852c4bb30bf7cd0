import type { GivenClient } from '../client/identity.ts'
import { type AuthorizationServer, guessMetadata, readServerMetadata } from '../discovery/server-metadata.ts'
import { AuthError } from '../errors.ts'
import { Nonces } from '../tokens/nonces.ts'
import { requestToken } from '../tokens/token-request.ts'
import { asToken } from '../tokens/token-set.ts'
import type { Http } from '../urls/http.ts'

/** Who exchanges tokens, and for what. */
export interface ExchangeTerms {
  /** As its metadata writes it. */
  readonly issuer: string
  /** Default: what the metadata of the issuer says. */
  readonly tokenEndpoint?: string
  /** Who we are there. */
  readonly client: Omit<GivenClient, 'issuer'>
  /** The server the token is for, as the issuer names it. */
  readonly audience?: string
  /** Or by its URL (RFC 8707). */
  readonly resource?: string
  /** Separated by spaces. Default: what the issuer gives. */
  readonly scope?: string
}

/** What somebody showed. */
export interface SubjectToken {
  readonly token: string
  /** Default: an access token (RFC 8693 §3). */
  readonly type?: string
}

export interface ExchangedToken {
  readonly accessToken: string
  /** Milliseconds since 1970; undefined where nobody said. */
  readonly expiresAt: number | undefined
}

/** @throws {AuthError} `peer.refused` where the issuer will not exchange it */
export async function exchangeToken(
  http: Http,
  terms: ExchangeTerms,
  { token, type = ACCESS_TOKEN }: SubjectToken,
  now: () => number,
): Promise<ExchangedToken> {
  if (asToken(token) === undefined) {
    throw new AuthError('caller.invalid_token', 'Cannot exchange what is no token')
  }
  const { client, audience, resource, scope = '' } = terms
  const server = await toServer(http, terms)
  const { issuer } = server
  const answer = await requestToken({
    http,
    nonces: new Nonces(),
    server,
    client: { ...client, origin: 'given', issuer },
    params: {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: token,
      subject_token_type: type,
      requested_token_type: ACCESS_TOKEN,
      ...(audience === undefined ? {} : { audience }),
      ...(resource === undefined ? {} : { resource }),
      ...(scope === '' ? {} : { scope }),
    },
  })
  if (answer.type !== 'bearer') {
    throw new AuthError('policy.insecure', `Cannot use a token of "${issuer}": it is not of the kind "bearer"`)
  }
  // The one that was shown must not come back: then it would be passed on (token passthrough).
  if (answer.accessToken === token) {
    throw new AuthError('policy.insecure', `Cannot use what "${issuer}" answers: it gives back the token it was shown`)
  }
  const { expiresInMs } = answer
  return { accessToken: answer.accessToken, expiresAt: expiresInMs === undefined ? undefined : now() + expiresInMs }
}

async function toServer(http: Http, { issuer, tokenEndpoint }: ExchangeTerms): Promise<AuthorizationServer> {
  if (tokenEndpoint === undefined) return readServerMetadata(http, issuer)
  return { ...guessMetadata(issuer), issuer, tokenEndpoint }
}

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
