import type { Call, Clock, Principal } from '@crosspoint/mcp'
import type { GatewayConfig } from '../../config/model.ts'
import { isNobody } from '../../identity/nobody.ts'
import type { Log } from '../../log.ts'
import { shown } from '../../shown.ts'
import type { CredentialOwner } from '../sealed-tokens.ts'
import type { SignInDesk } from '../sign-in.ts'
import type { Missing, SignedInNeeds, SignInPlace } from '../signed-in.ts'
import { Flow } from './flow.ts'
import { LINK_MS, type Link, Links } from './links.ts'
import { facts, form, type PageReply, paragraph, toJsonReply, toPage, toRedirect } from './pages.ts'
import { Waiters } from './waiters.ts'

/** What a browser asks. */
export interface PageRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The fields of a form; read when they are asked for. */
  readonly fields: () => Promise<URLSearchParams>
}

/**
 * Who the browser of a request is signed in as; undefined is nobody, to whom links do not open. Where that is `unknown`, the link
 * itself is the proof.
 * @param issuer origin of the gateway, as browsers know it
 */
export type WhoIs = (headers: PageRequest['headers'], issuer: string) => Whose | Promise<Whose>
type Whose = Principal | 'unknown' | undefined

export interface ConnectDeskNeeds extends SignedInNeeds {
  readonly config: () => GatewayConfig
  readonly clock: Clock
  readonly log: Log
  /** Told when somebody has signed in. */
  readonly connected: (server: string, owner: CredentialOwner) => void
  /** Default: nobody knows, and who has the link may use it. */
  readonly whoIs?: WhoIs | undefined
}

/** The pages at which people sign in to servers, and those who wait for them. */
export class ConnectDesk implements SignInDesk {
  readonly #needs: ConnectDeskNeeds
  readonly #links: Links
  readonly #waiters: Waiters
  /** Doors at which the pages are, the oldest first. */
  readonly #doors = new Set<{ readonly origin: string }>()
  /** By the id of the link, the oldest first. */
  readonly #flows = new Map<string, Flow>()
  /** Links that led to their end, the oldest first. */
  readonly #over = new Set<string>()
  /** Links that are good for a while yet and were not used: an owner who asks again gets the same. */
  readonly #fresh = new Map<string, { readonly link: Link; readonly url: string; readonly about: string }>()

  constructor(needs: ConnectDeskNeeds) {
    this.#needs = needs
    this.#links = new Links(needs.kept)
    this.#waiters = new Waiters(needs.clock)
  }

  /** Told of a door that serves the pages. */
  opened(origin: string): () => void {
    const door = { origin }
    this.#doors.add(door)
    return () => void this.#doors.delete(door)
  }

  async linkFor(server: string, owner: CredentialOwner, missing: Missing | undefined): Promise<string | undefined> {
    const base = this.#base()
    if (base === undefined) return undefined
    const key = JSON.stringify([server, owner.tenant, owner.principal])
    const about = JSON.stringify([base, missing?.status, missing?.challenge])
    const known = this.#fresh.get(key)
    const isGood = known !== undefined && known.link.expiresAt - this.#needs.wallClock() > LINK_MS / 2
    if (isGood && known.about === about) return known.url
    const { text, ...link } = await this.#links.make(server, owner, missing)
    const url = `${base}${ROOT}/${server}?l=${text}`
    this.#fresh.delete(key)
    if (this.#fresh.size >= MAX_FLOWS) this.#fresh.delete([...this.#fresh.keys()][0] ?? '')
    this.#fresh.set(key, { link, url, about })
    return url
  }

  untilConnected(server: string, owner: CredentialOwner, call: Call, ms: number): Promise<void> {
    return this.#waiters.until(server, owner, call, ms)
  }

  onConnected(server: string, owner: CredentialOwner, tell: () => void): void {
    this.#waiters.add(server, owner, tell, LINK_MS)
  }

  /** Whether a path is of these pages. */
  serves(path: string): boolean {
    return path.startsWith(`${ROOT}/`)
  }

  async answer(request: PageRequest): Promise<PageReply> {
    try {
      return await this.#answer(request)
    } catch (error) {
      this.#needs.log.warn({ path: request.path, reason: toReason(error) }, 'A page to sign in failed')
      return toPage(500, 'This did not work', [paragraph(`The sign-in could not be finished. ${toTold(error)}`)])
    }
  }

  close(): void {
    for (const flow of this.#flows.values()) flow.end()
    this.#flows.clear()
    this.#waiters.close()
  }

  async #answer(request: PageRequest): Promise<PageReply> {
    const { method, path } = request
    const name = path.slice(ROOT.length + 1)
    if (name === 'client.json' && method === 'GET') return this.#describeClient()
    if (name === 'callback' && method === 'GET') return this.#comeBack(request)
    const place = this.#placeOf(name)
    if (place === undefined || (method !== 'GET' && method !== 'POST')) return NOT_FOUND
    const fields = method === 'POST' ? await request.fields() : request.query
    const link = await this.#links.parse(name, fields.get('l') ?? '')
    if (link === undefined || this.#over.has(link.id)) return EXPIRED
    if (!(await this.#isTheirs(link, request))) return NOT_YOURS
    return method === 'GET' ? this.#show(link, place, request) : this.#goOn(link, place, request, fields)
  }

  async #show(link: Link, place: SignInPlace, request: PageRequest): Promise<PageReply> {
    const flow = this.#flowOf(link, place)
    const url = await flow.ready
    if (url === undefined) return this.#finish(flow)
    const page = new URL(url)
    const browser = this.#browserOf(request) ?? randomText()
    const scopes = page.searchParams.get('scope')
    const reply = toPage(
      200,
      `Sign in to ${place.server}`,
      [
        paragraph(`This gateway wants to use the server "${place.server}" for:`),
        facts([
          ['Caller', toCallerText(link.owner)],
          ['Server', `${place.server} (${new URL(place.url).host})`],
          ['You sign in at', page.host],
          ...(scopes === null ? [] : [['It asks for', scopes] as const]),
        ]),
        paragraph('Go on only if you asked for this, and if the caller is you: it will act with your account.'),
        form({ l: request.query.get('l') ?? '', csrf: await toToken(browser, link.id) }, `Go on to ${page.host}`),
      ],
      `'self' ${page.origin}`,
    )
    return { ...reply, headers: { ...reply.headers, 'set-cookie': this.#toCookie(browser) } }
  }

  async #goOn(link: Link, place: SignInPlace, request: PageRequest, fields: URLSearchParams): Promise<PageReply> {
    const browser = this.#browserOf(request)
    if (browser === undefined || !this.#isOurPage(request)) return FORGED
    const token = await toToken(browser, link.id)
    if (fields.get('csrf') !== token) return FORGED
    // Whoever had begun with it goes on with it, and nobody else.
    if (!(await this.#links.use(link, token))) return EXPIRED
    const flow = this.#flowOf(link, place)
    const url = await flow.ready
    if (url === undefined) return this.#finish(flow)
    flow.browser = browser
    this.#forgetLink(link)
    return toRedirect(url, {})
  }

  async #comeBack(request: PageRequest): Promise<PageReply> {
    const { query } = request
    const state = query.get('state') ?? ''
    const flow = [...this.#flows.values()].find((one) => state !== '' && one.state === state)
    if (flow === undefined) return EXPIRED
    // Another browser was sent here by somebody who had begun: its account is not to become theirs.
    if (flow.browser === undefined || flow.browser !== this.#browserOf(request)) return FORGED
    flow.return(`${this.#base() ?? ''}${ROOT}/callback?${query}`)
    return this.#finish(flow)
  }

  async #finish(flow: Flow): Promise<PageReply> {
    const { server, owner } = flow.link
    try {
      if (!(await flow.done)) throw new Error('There is nothing to sign in to')
    } finally {
      this.#flows.delete(flow.link.id)
    }
    this.#over.add(flow.link.id)
    if (this.#over.size > MAX_FLOWS) this.#over.delete([...this.#over][0] ?? '')
    this.#needs.connected(server, owner)
    this.#waiters.tell(server, owner)
    return toPage(200, `Signed in to ${server}`, [
      paragraph(`"${server}" can be used now for ${toCallerText(owner)}. You can close this page.`),
    ])
  }

  /** The same for everybody who looks at a link: looking does not use it up, as those look who show previews. */
  #flowOf(link: Link, place: SignInPlace): Flow {
    const known = this.#flows.get(link.id)
    if (known !== undefined) return known
    this.#makeRoom(link.owner)
    const flow = new Flow(link, place, `${this.#base() ?? ''}${ROOT}/callback`, this.#needs)
    this.#flows.set(link.id, flow)
    flow.done.catch(() => {
      if (this.#flows.get(link.id) === flow) this.#flows.delete(link.id)
    })
    return flow
  }

  #makeRoom({ tenant, principal }: CredentialOwner): void {
    const all = [...this.#flows.values()]
    const own = all.filter(({ link }) => link.owner.tenant === tenant && link.owner.principal === principal)
    const oldest = own.length >= MAX_FLOWS_PER_OWNER ? own[0] : all.length >= MAX_FLOWS ? all[0] : undefined
    if (oldest === undefined) return
    oldest.end()
    this.#flows.delete(oldest.link.id)
  }

  #forgetLink({ id }: Link): void {
    for (const [key, { link }] of this.#fresh) if (link.id === id) this.#fresh.delete(key)
  }

  async #isTheirs({ owner }: Link, { headers }: PageRequest): Promise<boolean> {
    const { whoIs } = this.#needs
    const who = whoIs === undefined ? 'unknown' : await whoIs(headers, new URL(this.#base() ?? 'http://none').origin)
    if (who === undefined || who === 'unknown') return who === 'unknown'
    const isOwn = owner.tenant === '' && owner.principal === ''
    return isOwn ? isNobody(who.id, who.tenant) : who.tenant === owner.tenant && who.id === owner.principal
  }

  /** Where a browser says which page a form was on, it is one of ours. */
  #isOurPage({ headers }: PageRequest): boolean {
    const { origin, 'sec-fetch-site': site } = headers
    if (site !== undefined && site !== 'same-origin') return false
    return origin === undefined || origin === new URL(this.#base() ?? 'http://none').origin
  }

  #placeOf(name: string): SignInPlace | undefined {
    const server = this.#needs.config().servers.get(name)
    if (server?.auth?.kind !== 'oauth' || !server.enabled || server.transport.kind === 'stdio') return undefined
    return { server: name, url: server.transport.url, auth: server.auth }
  }

  /** What authorization servers read that take the address of this as client id. */
  #describeClient(): PageReply {
    const base = this.#base() ?? ''
    return toJsonReply({
      client_id: `${base}${ROOT}/client.json`,
      client_name: 'Crosspoint',
      redirect_uris: [`${base}${ROOT}/callback`],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    })
  }

  /** Public address of the gateway; without one that of its door. */
  #base(): string | undefined {
    const [door] = this.#doors
    const origin = door === undefined || EVERYWHERE.test(door.origin) ? undefined : door.origin
    return door === undefined ? undefined : (this.#needs.config().auth?.resource ?? origin)
  }

  #toCookie(browser: string): string {
    const secure = this.#isSecure ? '; Secure' : ''
    return `${this.#cookie}=${browser}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${LINK_MS / 1_000}${secure}`
  }

  /** Under the one name there is: what a neighbour of our host has set under another is not ours. */
  #browserOf({ headers }: Pick<PageRequest, 'headers'>): string | undefined {
    const pairs = (headers.cookie ?? '').split('; ').map((pair) => pair.split('='))
    const [, found = ''] = pairs.find(([name]) => name === this.#cookie) ?? []
    return /^[\w-]{43}$/.test(found) ? found : undefined
  }

  /** On loopback without TLS browsers take no cookie that is called a secure one. */
  get #cookie(): string {
    return this.#isSecure ? `__Host-${COOKIE}` : COOKIE
  }

  get #isSecure(): boolean {
    return this.#base()?.startsWith('https:') === true
  }
}

/** Good for one link and one browser. */
async function toToken(browser: string, link: string): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(['csrf', browser, link]))
  return toText(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
}

function randomText(): string {
  return toText(crypto.getRandomValues(new Uint8Array(32)))
}

function toText(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

function toCallerText({ tenant, principal }: CredentialOwner): string {
  if (tenant === '' && principal === '') return 'the gateway itself'
  return `${shown(principal, 100)} (${shown(tenant, 100)})`
}

/** What the one who signs in may read: of what went wrong in our house, nothing. */
function toTold(error: unknown): string {
  const { name, code } = (error ?? {}) as { readonly name?: unknown; readonly code?: unknown }
  const isTold = name === 'AuthError' && error instanceof Error && TOLD.has(String(code))
  return isTold ? shown(error.message, 300) : 'The log of the gateway says why.'
}

function toReason(error: unknown): string {
  return shown(error instanceof Error ? error.message : String(error), 300)
}

const TOLD: ReadonlySet<string> = new Set(['caller.declined', 'caller.no_client', 'peer.refused', 'policy.insecure'])
/** The address of a door that listens at all there are is none to send anybody to. */
const EVERYWHERE = /\/\/(?:0\.0\.0\.0|\[::\])(?::|$)/
const ROOT = '/connect'
const COOKIE = 'crosspoint-connect'
const MAX_FLOWS = 1_000
const MAX_FLOWS_PER_OWNER = 5
const NOT_FOUND = toPage(404, 'There is nothing here', [])
const EXPIRED = toPage(410, 'This link is no longer good', [
  paragraph('It was used, or is too old. Ask for another one: call the tool once more.'),
])
const NOT_YOURS = toPage(403, 'This link is for somebody else', [
  paragraph('You are signed in to this gateway as another caller than the one who was given the link.'),
])
const FORGED = toPage(403, 'This was not asked for here', [
  paragraph('The sign-in was not begun in this browser, or the browser keeps no cookies. Open the link once more.'),
])
