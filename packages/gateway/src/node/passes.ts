import type { IncomingHttpHeaders } from 'node:http'
import type { Principal } from '@crosspoint/mcp'
import type { ClusterKeys } from './cluster-keys.ts'
import { sha256 } from './sha256.ts'

/** A request between two gateways, as far as its pass is for it alone. */
export interface Passing {
  /** The gateway it is for. */
  readonly to: string
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** SHA-256 of its body. */
  readonly digest: string
}

/** Lets requests pass from one gateway to another: says whose they are, for one request, once, and now. */
export interface Passes {
  write(passing: Passing, principal: Principal): string
  /** Undefined for what is no pass for this request, not of now, or was shown before. */
  read(passing: Passing, pass: string): Principal | undefined
}

/** @param wallNow milliseconds since 1970 */
export function createPasses(keys: ClusterKeys, wallNow: () => number): Passes {
  const seen = new Seen()
  return {
    write: (passing, principal) => keys.seal(toBound(passing), JSON.stringify({ p: principal, t: wallNow() })),
    read(passing, pass) {
      const opened = keys.open(toBound(passing), pass)
      if (opened === undefined) return undefined
      const { p, t } = JSON.parse(opened.text) as { readonly p: Principal; readonly t: number } // one of us wrote it
      const now = wallNow()
      if (Math.abs(now - t) > WINDOW_MS || !seen.add(opened.nonce, now)) return undefined
      return p
    },
  }
}

/** Of what a client sent, what a gateway that answers it has to know. Credentials are not among it. */
export function toPassed(headers: IncomingHttpHeaders): Record<string, string> {
  const passed: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string' && (PASSED.has(name) || name.startsWith('mcp-'))) passed[name] = value
  }
  return passed
}

export const PASS = 'x-crosspoint-pass'
export const TO = 'x-crosspoint-to'
export const DIGEST = 'x-crosspoint-digest'

function toBound({ to, method, url, headers, digest }: Passing): string {
  return JSON.stringify([to, method, url, sha256(JSON.stringify(Object.entries(headers).sort())), digest])
}

/** Passes that were shown: remembered for as long as they would be good, and not longer than twice that. */
class Seen {
  #now = new Set<string>()
  #before = new Set<string>()
  #since = 0

  add(nonce: string, now: number): boolean {
    if (now - this.#since > 2 * WINDOW_MS || this.#now.size >= MAX_SEEN) {
      // With so many in so short a time the oldest half is let go: a pass is for one request, whoever repeats it.
      this.#before = this.#now
      this.#now = new Set()
      this.#since = now
    }
    if (this.#now.has(nonce) || this.#before.has(nonce)) return false
    this.#now.add(nonce)
    return true
  }
}

/** How far clocks may be apart, and how long a request may be on its way. */
const WINDOW_MS = 30_000
const MAX_SEEN = 500_000
const PASSED: ReadonlySet<string> = new Set([
  'accept',
  'content-type',
  'last-event-id',
  'traceparent',
  'tracestate',
  'baggage',
  'user-agent',
])
