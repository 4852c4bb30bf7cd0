import { AuthError } from '../errors.ts'
import { type JsonObject, parseObject } from '../json.ts'
import { parseUrl } from './parse.ts'
import type { Reach } from './reach.ts'

/** What a {@link Fetch} is told; of the platform's `fetch` it has the members that matter here. */
export interface FetchInit {
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly redirect: 'manual'
  readonly signal: AbortSignal
  /**
   * Whether the host of the URL may be at this address. A `fetch` that looks names up by itself asks it for the address
   * it connects to; the platform's own cannot, and does without.
   */
  readonly allowsAddress: (address: string) => boolean
}

/** How requests are made. The platform's `fetch` is one; `@crosspoint/auth/node` has one that pins addresses. */
export type Fetch = (url: string, init: FetchInit) => Promise<Response>

/** It looks names up by itself, and so cannot be told which addresses may be asked. */
export const platformFetch: Fetch = (url, { allowsAddress: _, ...init }) => fetch(url, init)

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Undefined where the body is no JSON object. */
  readonly body: JsonObject | undefined
}

/** Requests to the servers a sign-in involves: bounded, and within reach. */
export interface Http {
  /** Follows redirects, each of them checked anew. */
  get(url: string, what: string): Promise<Answer>
  /** Follows nothing: what is posted is for the one it is posted to. */
  post(url: string, what: string, type: string, body: string, headers?: Record<string, string>): Promise<Answer>
}

export interface HttpOptions {
  readonly fetch: Fetch
  readonly reach: Reach
  /** A request, its body included. Default 5 s. */
  readonly timeoutMs?: number
  /** Bytes of a body. Default 1 MiB. */
  readonly maxBytes?: number
  /** Redirects in a row. Default 3. */
  readonly maxRedirects?: number
}

/** @throws {AuthError} from both: `peer.unavailable` or `policy.forbidden_url` */
export function createHttp(options: HttpOptions): Http {
  const { fetch, reach, timeoutMs = 5_000, maxBytes = 1_048_576, maxRedirects = 3 } = options

  async function ask(url: URL, what: string, init: Pick<FetchInit, 'method' | 'headers' | 'body'>): Promise<Answer> {
    const signal = AbortSignal.timeout(timeoutMs)
    const allowsAddress = (address: string) => reach.allowsAddress(url.hostname, address)
    try {
      const response = await fetch(url.href, { ...init, redirect: 'manual', signal, allowsAddress })
      const { status, headers } = response
      return { status, headers, body: parseObject(await readText(response, maxBytes)) }
    } catch (error) {
      // Why it failed would tell whoever chose the URL what is there.
      const isLarge = error instanceof RangeError
      const reason = isLarge ? `it says more than ${maxBytes} bytes` : `no answer within ${timeoutMs / 1_000} s`
      throw new AuthError('peer.unavailable', `Cannot reach ${what}: ${reason}`)
    }
  }

  return {
    async get(text, what) {
      const until = Date.now() + timeoutMs
      let url = reach.check(text, what)
      for (let hop = 0; hop <= maxRedirects && Date.now() <= until; hop++) {
        const answer = await ask(url, what, { method: 'GET', headers: { accept: 'application/json' } })
        const location = answer.headers.get('location')
        if (!REDIRECTS.has(answer.status) || location === null) return answer
        url = reach.check(parseUrl(location, url)?.href ?? '', what)
      }
      throw new AuthError('peer.unavailable', `Cannot reach ${what}: it redirects more than ${maxRedirects} times`)
    },
    async post(text, what, type, body, headers = {}) {
      const url = reach.check(text, what)
      const all = { ...headers, accept: 'application/json', 'content-type': type }
      return ask(url, what, { method: 'POST', headers: all, body })
    },
  }
}

/** @throws {RangeError} for a body that is too large, which is not read to its end */
async function readText(response: Response, maxBytes: number): Promise<string> {
  if (response.body === null) return ''
  const reader = response.body.getReader()
  // One buffer that grows: pieces may be as small as their sender likes.
  let held = new Uint8Array(FIRST_BYTES)
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    if (bytes + value.length > maxBytes) {
      void reader.cancel().catch(() => {}) // nobody reads on, whatever becomes of it
      throw new RangeError('Too large')
    }
    if (bytes + value.length > held.length) {
      const larger = new Uint8Array(Math.max(2 * held.length, bytes + value.length))
      larger.set(held.subarray(0, bytes))
      held = larger
    }
    held.set(value, bytes)
    bytes += value.length
  }
  return new TextDecoder().decode(held.subarray(0, bytes))
}

const FIRST_BYTES = 4_096
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
