import type { IncomingMessage, ServerResponse } from 'node:http'
import { createGuardedFetch } from '@crosspoint/auth/node'
import type { JsonObject } from '@crosspoint/mcp'
import type { Provider } from 'oidc-provider'
import { isLoopbackHost } from '../config/hosts.ts'
import type { AuthServerConfig } from '../config/model-auth-server.ts'
import type { Charge } from '../traffic/counters.ts'
import { toMetadata } from './clients.ts'
import { createDocumentFetch } from './documents.ts'
import { Interactions } from './interactions.ts'
import type { AuthServerNeeds } from './needs.ts'
import { messagePage, pageHeaders } from './pages.ts'
import type { PasswordDesk } from './passwords.ts'
import { PATHS } from './paths.ts'
import type { People, Person } from './people.ts'
import { createProvider, sessionCookie } from './provider.ts'
import { addressOf, parseForm, readBody, toReplayed } from './requests.ts'
import type { Seal } from './seal.ts'
import type { SigningKeys } from './signing-keys.ts'
import { UpstreamLogin } from './upstream-login.ts'

export interface RunningNeeds extends AuthServerNeeds {
  readonly issuer: string
  readonly config: AuthServerConfig
  readonly keys: SigningKeys
  readonly seal: Seal
  readonly people: People
  readonly passwords: PasswordDesk
}

/** An authorization server at one address. */
export class Running {
  readonly #needs: RunningNeeds
  readonly #handle: (request: IncomingMessage, response: ServerResponse) => void
  readonly #interactions: Interactions
  readonly #provider: Provider

  private constructor(needs: RunningNeeds, provider: Provider) {
    const { issuer, config, store, seal, wallClock, log, happened } = needs
    this.#needs = needs
    this.#provider = provider
    this.#handle = provider.callback()
    const upstream =
      config.upstream === undefined
        ? undefined
        : new UpstreamLogin({
            issuer,
            config: config.upstream,
            grants: store.grants,
            seal,
            now: wallClock,
            log,
            fetch: needs.fetch,
          })
    this.#interactions = new Interactions(provider, {
      ...needs,
      accounts: store.accounts,
      upstream,
      mayTry: (address, name) => this.#take(toLoginCharges(seal, address, name)),
      happened,
    })
  }

  static async start(needs: RunningNeeds): Promise<Running> {
    const { issuer, config, store, wallClock } = needs
    // Hosts of the configuration are our own choice; whatever else is asked for was somebody else's.
    const keysOf = [...config.clients.values()].flatMap(({ keys }) =>
      keys === undefined ? [] : [new URL(keys).hostname],
    )
    const allowsLoopback = isLoopbackHost(new URL(issuer).hostname)
    const guarded = needs.fetch ?? createGuardedFetch({ trustedHosts: keysOf, allowsLoopback })
    const provider = await createProvider({
      ...needs,
      grants: store.grants,
      now: wallClock,
      fetch: createDocumentFetch(guarded),
      fetchKeys: needs.fetch,
      mainResource: `${issuer}/mcp`,
      mayFetch: ({ req }) => take(needs, toDocumentCharges(addressOf(req))),
    })
    return new Running(needs, provider)
  }

  /** Who is signed in here in the browser of a request. The name of a session cannot be guessed, and is all it takes. */
  async personOf(cookies: string | undefined): Promise<Person | undefined> {
    const name = sessionCookie(this.#needs.issuer)
    const pairs = (cookies ?? '').split(/; */).map((pair) => pair.split('=', 2))
    const id = pairs.find(([found]) => found === name)?.[1]
    if (id === undefined || id === '' || id.length > MAX_SESSION_ID) return undefined
    const session = await this.#provider.Session.find(id)
    return session?.accountId === undefined ? undefined : this.#needs.people.find(session.accountId)
  }

  /** Answers one request to a path of ours. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.#needs.issuer)
    const body = await readBody(request, response)
    if (body === undefined) return
    if (url.pathname === PATHS.register) return this.#register(request, response, body)
    const isPage = isBelow(PATHS.interaction, url.pathname) || url.pathname === PATHS.callback
    if ((isPage || isBelow(PATHS.device, url.pathname)) && !this.#isOwnPage(request, url.pathname)) {
      response.writeHead(403, pageHeaders([])).end(messagePage('This did not work', 'The page was not from here.'))
      return
    }
    if (isPage) {
      const path = url.pathname.slice(PATHS.interaction.length + 1)
      const page = {
        request: this.#toProvider(request, body, url),
        response,
        path,
        form: parseForm(request, body),
        address: addressOf(request),
      }
      return url.pathname === PATHS.callback ? this.#interactions.back(page) : this.#interactions.handle(page)
    }
    if (url.pathname === PATHS.device && request.method === 'POST' && !(await this.#mayTypeCode(request))) {
      response.writeHead(429, pageHeaders([])).end(messagePage('Too many codes', 'Try again in some minutes.'))
      return
    }
    this.#handle(this.#toProvider(request, body, url), response)
  }

  /**
   * As the provider gets it: at the address that is ours, whatever a proxy says, and in the one way in which answers are
   * given (a page that sends itself off needs a script).
   */
  #toProvider(request: IncomingMessage, body: Buffer, url: URL): IncomingMessage {
    const { protocol, host } = new URL(this.#needs.issuer)
    const headers: IncomingMessage['headers'] = {
      ...request.headers,
      'x-forwarded-proto': protocol.slice(0, -1),
      'x-forwarded-host': host,
      host,
    }
    delete headers['x-crosspoint-user-code']
    const code = url.searchParams.get('user_code')
    if (url.pathname === PATHS.device && request.method === 'GET' && code !== null) {
      url.searchParams.delete('user_code')
      headers['x-crosspoint-user-code'] = code.slice(0, 32).replace(/[^\w-]/g, '')
    }
    if (url.pathname === PATHS.authorize) url.searchParams.delete('response_mode')
    return toReplayed(request, body, { url: `${url.pathname}${url.search}`, headers })
  }

  async #register(request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> {
    // Anybody may register, and so may any page.
    response.setHeader('access-control-allow-origin', '*')
    if (request.method === 'OPTIONS') {
      response.writeHead(204, { 'access-control-allow-methods': 'POST', 'access-control-allow-headers': '*' }).end()
      return
    }
    const answer = (status: number, error: string, description: string, headers = {}) => {
      const said = JSON.stringify({ error, error_description: description })
      response
        .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers })
        .end(said)
    }
    if (request.method !== 'POST' || !this.#needs.config.registration.dynamic) {
      answer(404, 'invalid_request', 'clients are not registered here in this way')
      return
    }
    const { perHour } = this.#needs.config.registration
    if (!(await this.#take(toRegistrationCharges(addressOf(request), perHour)))) {
      answer(429, 'temporarily_unavailable', 'too many clients were registered; try again later', {
        'retry-after': '600',
      })
      return
    }
    const metadata = parseMetadata(body)
    if (typeof metadata === 'string') {
      answer(400, 'invalid_client_metadata', metadata)
      return
    }
    const headers = { ...request.headers, 'content-type': 'application/json' }
    const url = new URL(PATHS.register, this.#needs.issuer)
    const said = Buffer.from(JSON.stringify(metadata))
    this.#handle(this.#toProvider(toReplayed(request, said, { headers }), said, url), response)
  }

  /** Pages of ours are sent off by pages of ours; other sites may only link to them. */
  #isOwnPage({ method, headers }: IncomingMessage, path: string): boolean {
    if (path === PATHS.deviceAuthorize || method === 'GET' || method === 'HEAD') return true
    const { origin, 'sec-fetch-site': site } = headers
    const isForeign = origin !== undefined && origin !== this.#needs.issuer
    return !isForeign && (site === undefined || site === 'same-origin')
  }

  #mayTypeCode(request: IncomingMessage): Promise<boolean> {
    return this.#take([{ key: `auth:code:${addressOf(request)}`, amount: 1, max: 60, windowMs: TEN_MINUTES_MS }])
  }

  #take(charges: readonly Charge[]): Promise<boolean> {
    return take(this.#needs, charges)
  }
}

async function take({ counters }: RunningNeeds, charges: readonly Charge[]): Promise<boolean> {
  return (await counters.take(charges)).isTaken
}

/** Somebody who guesses is slowed down, by where they are and by whom they want to be. */
function toLoginCharges(seal: Seal, address: string, name: string): readonly Charge[] {
  const who = seal.digest('login', name)
  return [
    { key: `auth:login:${address}:${who}`, amount: 1, max: 10, windowMs: TEN_MINUTES_MS },
    { key: `auth:login:${who}`, amount: 1, max: 50, windowMs: TEN_MINUTES_MS },
    { key: `auth:login:${address}`, amount: 1, max: 200, windowMs: TEN_MINUTES_MS },
  ]
}

function toDocumentCharges(address: string): readonly Charge[] {
  return [
    { key: `auth:document:${address}`, amount: 1, max: 60, windowMs: TEN_MINUTES_MS },
    { key: 'auth:document', amount: 1, max: 1_000, windowMs: TEN_MINUTES_MS },
  ]
}

function toRegistrationCharges(address: string, perHour: number): readonly Charge[] {
  return [
    { key: `auth:register:${address}`, amount: 1, max: Math.max(1, Math.ceil(perHour / 5)), windowMs: HOUR_MS },
    { key: 'auth:register', amount: 1, max: perHour, windowMs: HOUR_MS },
  ]
}

/** @returns what is wrong, where something is */
function parseMetadata(body: Buffer): JsonObject | string {
  try {
    const said: unknown = JSON.parse(body.toString('utf8'))
    if (typeof said !== 'object' || said === null || Array.isArray(said)) return 'a client is described by an object'
    return toMetadata(said as JsonObject) // an object of JSON
  } catch (error) {
    return error instanceof RangeError ? error.message : 'the description is no JSON'
  }
}

function isBelow(root: string, path: string): boolean {
  return path === root || path.startsWith(`${root}/`)
}

const MAX_SESSION_ID = 256
const TEN_MINUTES_MS = 600_000
const HOUR_MS = 3_600_000
