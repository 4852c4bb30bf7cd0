import { createReach } from '../urls/reach.ts'
import { pinnedFetch } from './pinned-fetch.ts'

export interface GuardedFetchOptions {
  /** Hosts inside our network that may be asked. Default: none. */
  readonly trustedHosts?: readonly string[]
  /** Whether this machine may be asked, over http too: for development. Default false. */
  readonly allowsLoopback?: boolean
  /** A request, until its headers are there. Default 5 s. */
  readonly timeoutMs?: number
}

/**
 * A `fetch` for URLs that others have chosen: https, hosts that are plainly public, addresses pinned to what was looked at.
 * It follows no redirects, and its errors say nothing of what is there.
 */
export function createGuardedFetch(options: GuardedFetchOptions = {}): typeof fetch {
  const { trustedHosts = [], allowsLoopback = false, timeoutMs = 5_000 } = options
  const server = new URL(allowsLoopback ? 'http://localhost' : 'https://nowhere.invalid')
  const reach = createReach({ server, trustedHosts })
  return async (input, init) => {
    const url = reach.check(String(input), 'a URL of somebody else')
    return pinnedFetch(url.href, {
      method: 'GET',
      headers: Object.fromEntries(new Headers(init?.headers)),
      redirect: 'manual',
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(init?.signal ? [init.signal] : [])]),
      allowsAddress: (address) => reach.allowsAddress(url.hostname, address),
    })
  }
}
