import { AuthError } from '../errors.ts'
import { kindOfAddress } from './addresses.ts'
import { parseUrl } from './parse.ts'

/**
 * What may be asked on behalf of one MCP server. Its metadata names URLs, and so do others in their turn: without
 * this, any server could send us into the network we run in (SSRF).
 */
export interface Reach {
  /**
   * Checks a URL before it is asked or shown to a person.
   * @param what whose it is, for the sentence
   * @throws {AuthError} `policy.forbidden_url`, which says nothing about the URL
   */
  check(url: string, what: string): URL
  /** Whether a host may be at this address: asked when its name has been looked up, so that no name leads inside. */
  allowsAddress(host: string, address: string): boolean
}

export interface ReachOptions {
  /** The MCP server: its own host was somebody's choice, so it is asked wherever it is. */
  readonly server: URL
  /** Hosts, as in URLs, that may be inside: an authorization server of the company. Default: none. */
  readonly trustedHosts?: readonly string[]
}

export function createReach({ server, trustedHosts = [] }: ReachOptions): Reach {
  const isLocal = isLoopbackHost(server.hostname)
  const isTrusted = (hostname: string) =>
    hostname === server.hostname || trustedHosts.some((host) => host.toLowerCase() === hostname)

  function isAllowedHost(hostname: string): boolean {
    if (isTrusted(hostname)) return true
    if (isLoopbackHost(hostname)) return isLocal
    const kind = kindOfAddress(hostname)
    return kind === undefined ? !INSIDE.test(hostname) : kind === 'public'
  }

  return {
    check(text, what) {
      const url = parseUrl(text)
      const isAllowed =
        url !== undefined &&
        (url.protocol === 'https:' || (url.protocol === 'http:' && isLocal && isLoopbackHost(url.hostname))) &&
        url.username === '' &&
        url.password === '' &&
        saysItsHost(text, url) &&
        isAllowedHost(url.hostname)
      if (!isAllowed) throw new AuthError('policy.forbidden_url', `Cannot use ${what}: its URL is not one to be asked`)
      return url
    },
    allowsAddress(host, address) {
      const kind = kindOfAddress(address)
      if (kind === 'public' || isTrusted(host)) return true
      return kind === 'loopback' && isLocal && isLoopbackHost(host)
    },
  }
}

export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || kindOfAddress(hostname) === 'loopback'
}

/** The URL parser reads `2130706433` and `0x7f.1` as addresses. Who writes one so has something to hide. */
function saysItsHost(text: string, { hostname }: URL): boolean {
  return kindOfAddress(hostname) === undefined || hostname.startsWith('[') || text.includes(`//${hostname}`)
}

/** Names that only mean something inside a network. */
const INSIDE = /^[^.]*$|\.$|\.(?:local|internal|intranet|lan|home|corp|private|home\.arpa)$/
