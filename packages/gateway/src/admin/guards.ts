import { isLoopbackHost } from '../config/hosts.ts'
import type { AdminConfig } from '../config/model-admin.ts'
import { Problem } from './problem.ts'

/** What is looked at of a request before anything else. */
export interface Arrived {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Names and values in turns, as they came. */
  readonly rawHeaders: readonly string[]
}

export interface Guards {
  /** Undefined: it may go on. */
  refusal(request: Arrived): Problem | undefined
  /** Whether a page of this origin may read answers. */
  isAllowedOrigin(origin: string): boolean
}

/**
 * Who a request was sent to and from which page: no page of a foreign site reaches this, not even through a name that it
 * makes resolve to this machine.
 * @param own what it is reached by: `http://127.0.0.1:8361`
 * @param admin as it is now: a reload counts from the next request on
 */
export function createGuards(own: string, admin: () => AdminConfig): Guards {
  const { host, hostname, port } = new URL(own)
  const isLocal = isLoopbackHost(hostname)
  const ownHosts = isLocal ? [...LOOPBACK, hostname] : [host]
  const ownOrigins = isLocal ? LOOPBACK.map((name) => `http://${name}:${port}`) : []
  const isAllowedOrigin = (origin: string) => {
    const { allowedOrigins, resource } = admin()
    const isOwn = ownOrigins.includes(origin) || (resource !== undefined && new URL(resource).origin === origin)
    return isOwn || allowedOrigins.includes(origin)
  }
  const isAllowedHost = (given: string) => {
    const { allowedHosts, resource } = admin()
    const name = toHostName(given)
    const allowed = [...ownHosts, ...allowedHosts, ...(resource === undefined ? [] : [new URL(resource).host])]
    return /^(?::\d*)?$/.test(given.slice(name.length)) && allowed.some((one) => isSame(one, given, name))
  }
  return {
    isAllowedOrigin,
    refusal: ({ headers, rawHeaders }) => {
      const twice = ONCE.find((name) => countOf(name, rawHeaders) > 1)
      if (twice !== undefined) return new Problem('invalid_request', `The header "${twice}" came twice`)
      const { host: given, origin } = headers
      if (typeof given !== 'string' || !isAllowedHost(given.toLowerCase())) {
        return new Problem('forbidden_host', 'The admin API is not served under this name', {
          hint: 'Add the name to "admin.allowedHosts"',
        })
      }
      if (origin !== undefined && (typeof origin !== 'string' || !isAllowedOrigin(origin))) {
        return new Problem('forbidden_origin', 'Pages from elsewhere may not use the admin API', {
          hint: 'Add the origin to "admin.allowedOrigins"',
        })
      }
      return undefined
    },
  }
}

/** A name alone stands for every port. */
function isSame(allowed: string, given: string, name: string): boolean {
  const known = allowed.toLowerCase()
  return known === given || known === name
}

function toHostName(host: string): string {
  const end = host.startsWith('[') ? host.indexOf(']') + 1 : host.indexOf(':')
  return end <= 0 ? host : host.slice(0, end)
}

/** Node keeps the first of two without a word; who stands before us may have kept the second. */
function countOf(name: string, rawHeaders: readonly string[]): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === name) count++
  return count
}

const ONCE = ['host', 'origin', 'authorization', 'content-type', 'content-length']
const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]']
