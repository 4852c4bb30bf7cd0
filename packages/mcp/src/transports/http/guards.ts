import { McpError } from '../../errors.ts'
import type { HttpRequest } from './exchange.ts'

export interface GuardOptions {
  /** What a `Host` header may give: `name` with any port, `name:port` with that one. IPv6 in brackets. Undefined: any. */
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
}: GuardOptions): (request: Pick<HttpRequest, 'headers' | 'rawHeaders'>) => McpError | undefined {
  const hosts = allowedHosts === undefined ? undefined : new Set(allowedHosts.map((host) => host.toLowerCase()))
  const origins = new Set(allowedOrigins)
  return ({ headers, rawHeaders }) => {
    const { host, origin, 'transfer-encoding': coding } = headers
    // Node keeps the first of two such headers without a word; who stands before us may have kept the second.
    let hostCount = 0
    let typeCount = 0
    let authorizationCount = 0
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const { length = 0 } = rawHeaders[i] ?? ''
      if (length !== 4 && length !== 12 && length !== 13) continue
      const name = rawHeaders[i]?.toLowerCase()
      if (name === 'host') hostCount++
      else if (name === 'content-type') typeCount++
      else if (name === 'authorization') authorizationCount++
    }
    if (hostCount > 1 || typeCount > 1 || authorizationCount > 1) {
      return new McpError('peer.invalid_request', `Cannot take a request that has one of these twice: ${ONCE}`)
    }
    if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
      return new McpError('peer.invalid_request', 'Cannot tell where a body of this "Transfer-Encoding" ends')
    }
    if (hosts !== undefined && (host === undefined || (!hosts.has(host) && !isAllowed(host, hosts)))) {
      return new McpError('policy.forbidden_host', 'Cannot take a request for this "Host"')
    }
    if (origin !== undefined && !origins.has(origin)) {
      return new McpError('policy.forbidden_origin', 'Cannot take a request from this "Origin"')
    }
    return undefined
  }
}

/** A port that is left out is the one of the scheme, and which scheme that was, a proxy before us may know alone. */
function isAllowed(given: string, hosts: ReadonlySet<string>): boolean {
  const host = given.toLowerCase()
  const name = toHostName(host)
  if (!PORT.test(host.slice(name.length))) return false
  if (hosts.has(name) || hosts.has(host)) return true
  return name === host && (hosts.has(`${host}:443`) || hosts.has(`${host}:80`))
}

/** `example.org:80` and `[::1]:80` without the port. */
export function toHostName(host: string): string {
  const end = host.startsWith('[') ? host.indexOf(']') + 1 : host.indexOf(':')
  return (end <= 0 ? host : host.slice(0, end)).toLowerCase()
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

const ONCE = '"Host", "Content-Type", "Authorization"'
/** What may follow a name: RFC 9110 §7.2. */
const PORT = /^(?::\d*)?$/
