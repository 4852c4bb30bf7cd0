import type { JsonObject } from '@crosspoint/mcp'
import type { AuthorizationServer } from './authorization-server.ts'
import { type PlainAnswer, type SeenRequest, startPlainServer } from './http-server.ts'

export interface ResourceServerOptions {
  /** Whose tokens it takes; asked for each request. */
  readonly issuedBy: () => AuthorizationServer
  /** Scopes a request needs. Default: none. */
  readonly needs?: () => readonly string[]
  /** Says something else about itself. */
  readonly metadata?: (metadata: JsonObject) => JsonObject
  /** Answers something else; undefined leaves the answer as it is. */
  readonly answer?: (request: SeenRequest) => PlainAnswer | undefined | Promise<PlainAnswer | undefined>
}

export interface ResourceServer {
  readonly origin: string
  /** What tokens are for. */
  readonly url: string
  readonly seen: readonly SeenRequest[]
  stop(): Promise<void>
}

/** A resource that wants tokens, with metadata at the well-known place, and remembers what it was sent. */
export async function startResourceServer(options: ResourceServerOptions): Promise<ResourceServer> {
  const { needs = () => [] } = options
  const server = await startPlainServer(async (request) => (await options.answer?.(request)) ?? answer(request))
  const url = `${server.origin}/mcp`

  function answer({ path, headers }: SeenRequest): PlainAnswer {
    if (path === '/.well-known/oauth-protected-resource/mcp') {
      const metadata = { resource: url, authorization_servers: [options.issuedBy().issuer] }
      return { body: options.metadata?.(metadata) ?? metadata }
    }
    if (path !== '/mcp') return { status: 404 }
    const token = options.issuedBy().inspect(headers.authorization?.replace(/^Bearer /, '') ?? '')
    if (token?.resource !== url)
      return challenge(401, needs(), headers.authorization === undefined ? '' : 'invalid_token')
    const missing = needs().filter((scope) => !token.scope.includes(scope))
    return missing.length === 0 ? { body: { scope: token.scope } } : challenge(403, missing, 'insufficient_scope')
  }

  function challenge(status: number, scopes: readonly string[], error: string): PlainAnswer {
    const params = [
      `resource_metadata="${server.origin}/.well-known/oauth-protected-resource/mcp"`,
      ...(scopes.length === 0 ? [] : [`scope="${scopes.join(' ')}"`]),
      ...(error === '' ? [] : [`error="${error}"`]),
    ]
    return { status, headers: { 'www-authenticate': `Bearer ${params.join(', ')}` } }
  }

  return { origin: server.origin, url, seen: server.seen, stop: () => server.stop() }
}
