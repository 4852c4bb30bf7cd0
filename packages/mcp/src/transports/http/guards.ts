import type { IncomingMessage } from 'node:http'
import { McpError } from '../../errors.ts'

export interface GuardOptions {
  /** Names a `Host` header may give, without port, lower case, IPv6 in brackets. Undefined: any. */
  readonly allowedHosts: readonly string[] | undefined
  /** Origins a browser may call from, exactly as browsers write them. Requests without `Origin` pass. */
  readonly allowedOrigins: readonly string[]
}

/**
 * Looks at a request before its body is read: who it was sent to and from which page. A page of a foreign site
 * must not reach a local server, not even through a name that it makes resolve to this machine.
 */
export function createGuards({
  allowedHosts,
  allowedOrigins,
}: GuardOptions): (request: IncomingMessage) => McpError | undefined {
  const hosts = allowedHosts === undefined ? undefined : new Set(allowedHosts.map((host) => host.toLowerCase()))
  const origins = new Set(allowedOrigins)
  return (request) => {
    const { host, origin, 'transfer-encoding': coding } = request.headers
    if (repeats(request.rawHeaders)) {
      return new McpError('peer.invalid_request', 'Cannot take a request that names "Host" or "Authorization" twice')
    }
    if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
      return new McpError('peer.invalid_request', 'Cannot tell where a body of this "Transfer-Encoding" ends')
    }
    if (hosts !== undefined && (host === undefined || !hosts.has(toHostName(host)))) {
      return new McpError('policy.forbidden_host', 'Cannot take a request for this "Host"')
    }
    if (origin !== undefined && !origins.has(origin)) {
      return new McpError('policy.forbidden_origin', 'Cannot take a request from this "Origin"')
    }
    return undefined
  }
}

/** `example.org:80` and `[::1]:80` without the port. */
export function toHostName(host: string): string {
  const end = host.startsWith('[') ? host.indexOf(']') + 1 : host.indexOf(':')
  return (end <= 0 ? host : host.slice(0, end)).toLowerCase()
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/** Node keeps the first of two such headers without a word; who stands before us may have kept the second. */
function repeats(raw: readonly string[]): boolean {
  let hosts = 0
  let authorizations = 0
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]
    if (name === undefined) continue
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
    else if (name.length === 13 && name.toLowerCase() === 'authorization') authorizations++
  }
  return hosts > 1 || authorizations > 1
}
