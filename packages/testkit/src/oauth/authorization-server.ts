import { createHash, randomUUID } from 'node:crypto'
import type { JsonObject } from '@crosspoint/mcp'
import { type PlainAnswer, type SeenRequest, startPlainServer } from './http-server.ts'
import { createSigner } from './signer.ts'

export interface AuthorizationServerOptions {
  /** Life of an access token. Default an hour. */
  readonly tokenSeconds?: number
  /** Access tokens are JWTs (RFC 9068) with these claims and header members changed; their keys are at `/jwks`. */
  readonly jwt?: { readonly claims?: JsonObject; readonly header?: JsonObject }
  /** Says something else about itself. */
  readonly metadata?: (metadata: JsonObject) => JsonObject
  /** Sends people back with something else. */
  readonly callback?: (params: URLSearchParams) => void
  /** Answers something else; undefined leaves the answer as it is. */
  readonly answer?: (request: SeenRequest) => PlainAnswer | undefined | Promise<PlainAnswer | undefined>
}

export interface IssuedToken {
  readonly scope: readonly string[]
  readonly resource: string
  readonly clientId: string
}

export interface AuthorizationServer {
  readonly issuer: string
  readonly seen: readonly SeenRequest[]
  /** Signs whatever it is told as one of its tokens; a header without `kid` gets its own. */
  sign(claims: JsonObject, header?: JsonObject): string
  /** Signs with a new key from now on, and forgets the old one. */
  rotate(): void
  /** The grants asked for so far, by `grant_type`. */
  grants(): readonly string[]
  /** What a token is good for; undefined for one that is not, or no longer. */
  inspect(token: string): IssuedToken | undefined
  /** All access tokens so far stop being good. */
  expire(): void
  /** Clients that registered themselves are forgotten. */
  forgetClients(): void
  stop(): Promise<void>
}

interface Issued extends IssuedToken {
  readonly refreshToken: string
}

/**
 * An authorization server that lets everybody in: PKCE, registration, rotating refresh tokens. One that is used twice
 * takes back everything that came of it, as OAuth 2.1 (4.3.1) has it.
 */
export async function startAuthorizationServer(options: AuthorizationServerOptions = {}): Promise<AuthorizationServer> {
  const { tokenSeconds = 3_600 } = options
  const codes = new Map<string, URLSearchParams>()
  const tokens = new Map<string, IssuedToken>()
  const refreshable = new Map<string, Issued>()
  const spent = new Set<string>()
  const clients = new Set<string>()
  let signer = createSigner()
  const server = await startPlainServer(async (request) => (await options.answer?.(request)) ?? answer(request))
  const issuer = server.origin

  function answer(request: SeenRequest): PlainAnswer {
    switch (request.path) {
      case '/.well-known/oauth-authorization-server':
        return { body: toMetadata() }
      case '/jwks':
        return { body: { keys: [signer.publicKey] } }
      case '/authorize':
        return authorize(request.query)
      case '/register':
        return register(JSON.parse(request.text) as JsonObject)
      case '/token':
        return exchange(request)
      default:
        return { status: 404 }
    }
  }

  function toMetadata(): JsonObject {
    const metadata = {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      registration_endpoint: `${issuer}/register`,
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic'],
      authorization_response_iss_parameter_supported: true,
    }
    return options.metadata?.(metadata) ?? metadata
  }

  function authorize(query: URLSearchParams): PlainAnswer {
    const code = randomUUID()
    codes.set(code, query)
    const back = new URL(query.get('redirect_uri') ?? '')
    back.searchParams.set('code', code)
    back.searchParams.set('state', query.get('state') ?? '')
    back.searchParams.set('iss', issuer)
    options.callback?.(back.searchParams)
    return { status: 302, headers: { location: back.href } }
  }

  function register({ redirect_uris }: JsonObject): PlainAnswer {
    const id = `client-${randomUUID()}`
    clients.add(id)
    return { status: 201, body: { client_id: id, redirect_uris, token_endpoint_auth_method: 'none' } }
  }

  function exchange({ form, headers }: SeenRequest): PlainAnswer {
    const [basic = ''] = Buffer.from(headers.authorization?.slice(6) ?? '', 'base64')
      .toString()
      .split(':')
    const clientId = form.get('client_id') ?? basic
    if (clientId.startsWith('client-') && !clients.has(clientId)) return refuse('invalid_client', 401)
    const about = { clientId, resource: form.get('resource') ?? '', scope: toScopes(form.get('scope')) }
    switch (form.get('grant_type')) {
      case 'authorization_code':
        return exchangeCode(form, clientId)
      case 'refresh_token':
        return refresh(form.get('refresh_token') ?? '', clientId)
      case 'client_credentials':
        return issue(about, false)
      default:
        return refuse('unsupported_grant_type')
    }
  }

  function exchangeCode(form: URLSearchParams, clientId: string): PlainAnswer {
    const query = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    const fits =
      query?.get('client_id') === clientId &&
      query.get('redirect_uri') === form.get('redirect_uri') &&
      query.get('code_challenge') === challenge &&
      query.get('resource') === form.get('resource')
    if (!fits) return refuse('invalid_grant')
    return issue({ clientId, resource: form.get('resource') ?? '', scope: toScopes(query.get('scope')) }, true)
  }

  function refresh(token: string, clientId: string): PlainAnswer {
    if (spent.has(token)) {
      tokens.clear()
      refreshable.clear()
      return refuse('invalid_grant')
    }
    const issued = refreshable.get(token)
    if (issued === undefined || issued.clientId !== clientId) return refuse('invalid_grant')
    refreshable.delete(token)
    spent.add(token)
    return issue(issued, true)
  }

  function issue(about: IssuedToken, isRefreshable: boolean): PlainAnswer {
    const [accessToken, refreshToken] = [toAccessToken(about), `refresh-${randomUUID()}`]
    tokens.set(accessToken, about)
    if (isRefreshable) refreshable.set(refreshToken, { ...about, refreshToken })
    const more = isRefreshable ? { refresh_token: refreshToken } : {}
    const scope = about.scope.join(' ')
    return { body: { access_token: accessToken, token_type: 'Bearer', expires_in: tokenSeconds, scope, ...more } }
  }

  function toAccessToken({ clientId, resource, scope }: IssuedToken): string {
    const { jwt } = options
    if (jwt === undefined) return `access-${randomUUID()}`
    const seconds = Math.floor(Date.now() / 1_000)
    const times = { iat: seconds, exp: seconds + tokenSeconds, jti: randomUUID() }
    const about = { iss: issuer, sub: clientId, client_id: clientId, aud: resource, scope: scope.join(' ') }
    return signer.sign({ ...about, ...times, ...jwt.claims }, jwt.header)
  }

  return {
    issuer,
    sign: (claims, header) => signer.sign(claims, header),
    rotate() {
      signer = createSigner()
    },
    seen: server.seen,
    grants: () => server.seen.filter(({ path }) => path === '/token').map(({ form }) => form.get('grant_type') ?? ''),
    inspect: (token) => tokens.get(token),
    expire: () => tokens.clear(),
    forgetClients: () => clients.clear(),
    stop: () => server.stop(),
  }
}

function refuse(error: string, status = 400): PlainAnswer {
  return { status, body: { error, error_description: 'No' } }
}

function toScopes(text: string | null): readonly string[] {
  return (text ?? '').split(' ').filter((scope) => scope !== '')
}
