import type { IncomingMessage, ServerResponse } from 'node:http'
import type { SignIn } from '@crosspoint/auth/node'
import type { JsonObject } from '@crosspoint/mcp'
import type { UpstreamLoginConfig } from '../config/model-auth-server.ts'
import type { Log } from '../log.ts'
import type { GrantStore } from '../stores/contract/grant-store.ts'
import { PATHS } from './paths.ts'
import type { Seal } from './seal.ts'

export interface UpstreamLoginNeeds {
  readonly issuer: string
  readonly config: UpstreamLoginConfig
  readonly grants: GrantStore
  readonly seal: Seal
  readonly now: () => number
  readonly log: Log
  /** Default: that of the platform, with addresses pinned. */
  readonly fetch?: typeof fetch | undefined
}

/** Somebody who came back. */
export interface CameBack {
  /** Of the sign-in that they left. */
  readonly uid: string
  /** Undefined: it did not work there. */
  readonly claims: JsonObject | undefined
}

/** Signs people in at an OpenID provider. Who leaves is remembered by a cookie and a row, and comes back once. */
export class UpstreamLogin {
  readonly #needs: UpstreamLoginNeeds
  #signIn: Promise<SignIn> | undefined

  constructor(needs: UpstreamLoginNeeds) {
    this.#needs = needs
  }

  /** Where people may be sent, for those that are not https. */
  origins(): readonly string[] {
    const { origin, protocol } = new URL(this.#needs.config.issuer)
    return protocol === 'https:' ? [] : [origin]
  }

  /** Sends somebody on, who has said that they want to. */
  async begin(uid: string, response: ServerResponse): Promise<void> {
    const { grants, seal, now, issuer } = this.#needs
    const { url, pending } = await (await this.#load()).begin()
    const id = seal.digest(KIND, pending.state)
    await grants.put({
      kind: KIND,
      id,
      payload: seal.seal(`${KIND}\0${id}`, { uid, pending }),
      createdAt: now(),
      expiresAt: now() + LIFE_MS,
    })
    response.setHeader('set-cookie', toCookie(issuer, pending.state, LIFE_MS / 1_000))
    response.writeHead(303, { location: url, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }).end()
  }

  /** @returns undefined for who did not leave from here, or came back before */
  async finish(request: IncomingMessage, response: ServerResponse): Promise<CameBack | undefined> {
    const { grants, seal, now, issuer, log } = this.#needs
    const url = new URL(request.url ?? '/', issuer)
    const state = url.searchParams.get('state') ?? ''
    if (state === '' || fromCookie(issuer, request.headers.cookie) !== state) return undefined
    const id = seal.digest(KIND, state)
    const row = await grants.find(KIND, id)
    if (row === undefined || (row.expiresAt ?? 0) <= now() || !(await grants.consume(KIND, id, now()))) return undefined
    response.setHeader('set-cookie', toCookie(issuer, '', 0))
    // As `begin` sealed it.
    const left = seal.open(`${KIND}\0${id}`, row.payload) as Left | undefined
    if (left === undefined) return undefined
    try {
      const claims = await (await this.#load()).finish(url.href, left.pending)
      return { uid: left.uid, claims }
    } catch (error) {
      log.info({ error: String(error) }, 'Nobody was signed in at the OpenID provider')
      return { uid: left.uid, claims: undefined }
    }
  }

  #load(): Promise<SignIn> {
    this.#signIn ??= this.#create()
    return this.#signIn
  }

  async #create(): Promise<SignIn> {
    const { createSignIn } = await import('@crosspoint/auth/node')
    const { issuer, config, fetch, now } = this.#needs
    const { clientId, clientSecret, scopes } = config
    return createSignIn({
      issuer: config.issuer,
      client: { id: clientId, secret: clientSecret },
      redirectUri: `${issuer}${PATHS.callback}`,
      scopes,
      ...(fetch === undefined ? {} : { fetch: (url, init) => fetch(url, init) }),
      now,
    })
  }
}

interface Left {
  readonly uid: string
  readonly pending: Parameters<SignIn['finish']>[1]
}

/** Sent along when the other side's page leads here, which `strict` would not be. */
function toCookie(issuer: string, value: string, seconds: number): string {
  const more = issuer.startsWith('https:') ? '; Secure' : ''
  return `${cookieName(issuer)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}${more}`
}

function fromCookie(issuer: string, header: string | undefined): string | undefined {
  const pairs = (header ?? '').split(/; */).map((pair) => pair.split('=', 2))
  return pairs.find(([name]) => name === cookieName(issuer))?.[1]
}

function cookieName(issuer: string): string {
  return issuer.startsWith('https:') ? '__Host-cp_login' : 'cp_login'
}

const KIND = 'Login'
const LIFE_MS = 600_000
