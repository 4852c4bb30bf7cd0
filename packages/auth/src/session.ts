import type { AuthorizationRefusal, AuthorizedRequest } from './authorization.ts'
import { type Challenge, parseChallenge } from './discovery/challenge.ts'
import { type Discovered, discover } from './discovery/discover.ts'
import { parseScopes, union } from './discovery/scopes.ts'
import { type AuthorizationServer, readOwnMetadata, readServerMetadata } from './discovery/server-metadata.ts'
import { AuthError } from './errors.ts'
import type { Grant } from './grants/grant.ts'
import type { TokenStore } from './store.ts'
import { createDpopKey, type DpopKey, importDpopKey } from './tokens/dpop.ts'
import { Nonces } from './tokens/nonces.ts'
import { requestToken, type TokenResponse } from './tokens/token-request.ts'
import type { TokenSet } from './tokens/token-set.ts'
import type { Http } from './urls/http.ts'
import { isLoopbackHost } from './urls/reach.ts'
import { Vault } from './vault.ts'

export interface SessionOptions {
  readonly server: URL
  readonly grant: Grant
  readonly store: TokenStore
  readonly account: string
  readonly http: Http
  /** Asked for besides what the server wants. */
  readonly scopes: readonly string[]
  readonly dpop: boolean
  readonly issuer: string | undefined
  readonly now: () => number
}

/** Tokens ready to be sent. */
interface Held {
  readonly tokens: TokenSet
  /** Undefined for tokens that need a proof for each request. */
  readonly headers: readonly string[] | undefined
  readonly key: DpopKey | undefined
  /** When to renew them, if nobody has complained before; never, where we could not. */
  readonly renewAt: number
}

/** What came of looking for credentials. */
type Mended = 'nothing' | 'refreshed' | 'obtained'

/** What was done already for one request, so that nothing is done for it without end. */
interface Attempts {
  hasRefreshed: boolean
  hasObtained: boolean
  stepUps: number
  /** Nothing more will be done for it. */
  isOver: boolean
}

/** The credentials for one MCP server: what we hold, and the one way in which they are got anew. */
export class ServerSession {
  readonly #options: SessionOptions
  readonly #vault: Vault
  /** What the address of every request begins with. */
  readonly #prefix: string
  readonly #nonces = new Nonces()
  readonly #attempts = new WeakMap<AuthorizedRequest, Attempts>()
  #held: Held | undefined
  #loading: Promise<void> | undefined
  #isLoaded = false
  /** The renewal under way: whoever needs one waits for it. */
  #work: Promise<Mended> | undefined
  #asking = 0
  /** Scopes ever asked for: asking for more never asks for less (trap 48). */
  #asked: readonly string[] = []
  #found: Discovered | undefined

  constructor(options: SessionOptions) {
    this.#options = options
    const { store, server, grant, account } = options
    this.#prefix = `${server.origin}/`
    this.#vault = new Vault(store, server.href, grant.owner, account)
  }

  get isAsking(): boolean {
    return this.#asking > 0
  }

  headers(request: AuthorizedRequest): readonly string[] | Promise<readonly string[]> {
    if (!request.url.startsWith(this.#prefix)) {
      throw new AuthError('internal.error', 'Cannot send tokens of one server to another')
    }
    const held = this.#held
    if (held === undefined) return this.#isLoaded ? NONE : this.#load().then(() => this.#send(request))
    if (this.#options.now() >= held.renewAt) return this.#renew(held).then(() => this.#send(request))
    return held.headers ?? this.#prove(held, request)
  }

  nonce(nonce: string, request: AuthorizedRequest): void {
    this.#nonces.keep(request.url, nonce)
  }

  async refused(refusal: AuthorizationRefusal): Promise<boolean> {
    const { status, sent, request } = refusal
    const said = parseChallenge(refusal.challenge)
    // The nonce came with the refusal and is known by now.
    if (said.error === 'use_dpop_nonce') return this.#nonces.of(request.url) !== undefined
    if (status === 403 && said.error !== 'insufficient_scope') return false
    checkLine(this.#options.server)
    await this.#load()
    const attempts = this.#attemptsOf(request)
    for (;;) {
      const held = this.#held
      // Somebody else got new ones meanwhile.
      if (held !== undefined && held.tokens.accessToken !== toToken(sent)) return true
      const mended = await (this.#work ?? this.#start(() => this.#mend(status, said, request, attempts)))
      if (mended === 'refreshed') attempts.hasRefreshed = true
      if (mended === 'obtained') attempts.hasObtained = true
      if (mended !== 'nothing') return true
      if (attempts.isOver || request.inBackground || this.#options.grant.asksNobody === true) return false
    }
  }

  #attemptsOf(request: AuthorizedRequest): Attempts {
    const attempts = this.#attempts.get(request) ?? noAttempts()
    this.#attempts.set(request, attempts)
    return attempts
  }

  #start(work: () => Promise<Mended>): Promise<Mended> {
    const started = work().finally(() => {
      this.#work = undefined
    })
    this.#work = started
    return started
  }

  async #mend(
    status: number,
    said: Challenge,
    { inBackground }: AuthorizedRequest,
    attempts: Attempts,
  ): Promise<Mended> {
    const { http, server, issuer: only, grant } = this.#options
    const held = this.#held
    const wanted = parseScopes(said.scope)
    const canRefresh = status === 401 && !attempts.hasRefreshed && held?.tokens.refreshToken !== undefined
    const mayAsk = !grant.asksPerson || (!inBackground && grant.asksNobody !== true)
    attempts.isOver = status === 403 ? !this.#isStepUp(wanted, attempts) : attempts.hasObtained
    if (attempts.isOver || (!canRefresh && !mayAsk)) return 'nothing'
    const lastIssuer = await this.#vault.lastIssuer()
    // A server that wants more scopes is who it was; one that refuses a token may have changed hands.
    if (status === 401 || this.#found === undefined) {
      this.#found = await discover(http, server, { named: said.resourceMetadata, known: lastIssuer, only })
    }
    if (held !== undefined && status === 401 && !attempts.hasRefreshed) {
      if (await this.#refresh(held, this.#found.issuedBy)) return 'refreshed'
    }
    if (!mayAsk) return 'nothing'
    await this.#obtain(this.#found, wanted, lastIssuer)
    return 'obtained'
  }

  /** Scopes that were asked for and not granted will not be granted the next time either. */
  #isStepUp(wanted: readonly string[], attempts: Attempts): boolean {
    return wanted.some((scope) => !this.#asked.includes(scope)) && attempts.stepUps++ < MAX_STEP_UPS
  }

  /** Renews what is about to expire. What cannot be renewed is sent as it is, and the server says what is missing. */
  async #renew(held: Held): Promise<void> {
    await (this.#work ?? this.#start(() => this.#renewNow(held)))
  }

  async #renewNow(held: Held): Promise<Mended> {
    const { tokens } = held
    try {
      if (await this.#refresh(held, await this.#issuerOf(tokens))) return 'refreshed'
      // A program needs nobody to get another one.
      if (this.#options.grant.asksPerson || this.#found === undefined) return 'nothing'
      await this.#obtain(this.#found, [], tokens.issuer)
      return 'obtained'
    } catch (error) {
      if (tokens.expiresAt !== undefined && this.#options.now() >= tokens.expiresAt) throw error
      this.#held = { ...held, renewAt: tokens.expiresAt ?? Number.POSITIVE_INFINITY }
      return 'nothing'
    }
  }

  /**
   * Exchanges the refresh token, or adopts what another process got for it.
   * @returns whether there are new tokens; false where a new grant is needed
   */
  async #refresh(held: Held, issuedBy: AuthorizationServer): Promise<boolean> {
    if (held.tokens.issuer !== issuedBy.issuer) return this.#drop(held)
    return this.#vault.exclusively(held.tokens, async () => {
      const stored = await this.#vault.again(held.tokens)
      if (stored !== undefined && stored.accessToken !== held.tokens.accessToken) return this.#adopt(stored)
      const { refreshToken } = held.tokens
      const { grant, store } = this.#options
      const client = await grant.recall(issuedBy, held.tokens.clientId, store)
      if (refreshToken === undefined || client === undefined) return this.#drop(held)
      try {
        const response = await requestToken({
          http: this.#options.http,
          nonces: this.#nonces,
          server: issuedBy,
          client,
          key: held.key,
          params: { grant_type: 'refresh_token', refresh_token: refreshToken, resource: held.tokens.resource },
        })
        return await this.#keep({ ...this.#toTokens(response, held.tokens), key: held.tokens.key })
      } catch (error) {
        if (!(error instanceof AuthError) || !NO_MORE.has(error.refusal ?? '')) throw error
        await this.#vault.drop(held.tokens)
        return this.#drop(held)
      }
    })
  }

  async #obtain(found: Discovered, wanted: readonly string[], lastIssuer: string | undefined): Promise<void> {
    const { grant, store, http, dpop, scopes: always } = this.#options
    // What a challenge says is what counts; without one, what the server says it has (scope selection strategy).
    const first = wanted.length > 0 ? wanted : this.#asked.length > 0 ? [] : found.scopes
    const scopes = union(this.#asked, always, first)
    const key = dpop ? await createDpopKey() : undefined
    if (grant.asksPerson) this.#asking++
    try {
      const granted = await grant.obtain({ http, store, nonces: this.#nonces, found, scopes, key, lastIssuer })
      const { resource, issuedBy } = found
      const about = { resource, issuer: issuedBy.issuer, clientId: granted.client.id, asked: granted.scopes }
      await this.#keep({ ...this.#toTokens(granted.response, { ...about, refreshToken: undefined }), key: key?.jwk })
    } finally {
      if (grant.asksPerson) this.#asking--
    }
  }

  #toTokens(
    { accessToken, type, expiresInMs, refreshToken, scope }: TokenResponse,
    about: Pick<TokenSet, 'resource' | 'issuer' | 'clientId' | 'asked' | 'refreshToken'>,
  ): Omit<TokenSet, 'key'> {
    const wanted = this.#options.dpop ? 'dpop' : 'bearer'
    if (type !== wanted) {
      throw new AuthError(
        'policy.insecure',
        `Cannot use a token of "${about.issuer}": it is not of the kind "${wanted}"`,
      )
    }
    const { resource, issuer, clientId, asked } = about
    return {
      accessToken,
      type: wanted,
      expiresAt: expiresInMs === undefined ? undefined : this.#options.now() + expiresInMs,
      // A server that gives no new one means the old one to go on.
      refreshToken: refreshToken ?? about.refreshToken,
      asked,
      granted: parseScopes(scope),
      resource,
      issuer,
      clientId,
    }
  }

  async #keep(tokens: TokenSet): Promise<true> {
    await this.#vault.save(tokens)
    return this.#adopt(tokens)
  }

  async #adopt(tokens: TokenSet): Promise<true> {
    const { type, key: jwk, accessToken, asked, granted, expiresAt } = tokens
    this.#asked = union(this.#asked, asked, granted)
    const key = jwk === undefined ? undefined : await importDpopKey(jwk)
    const left = expiresAt === undefined ? 0 : expiresAt - this.#options.now()
    const isRenewable =
      expiresAt !== undefined && (tokens.refreshToken !== undefined || !this.#options.grant.asksPerson)
    this.#held = {
      tokens,
      key,
      headers: type === 'bearer' ? ['authorization', `Bearer ${accessToken}`] : undefined,
      renewAt: isRenewable ? expiresAt - Math.min(RENEW_BEFORE_MS, left / 10) : Number.POSITIVE_INFINITY,
    }
    return true
  }

  #drop(held: Held): false {
    if (this.#held === held) this.#held = undefined
    return false
  }

  async #send(request: AuthorizedRequest): Promise<readonly string[]> {
    const held = this.#held
    return held === undefined ? NONE : (held.headers ?? this.#prove(held, request))
  }

  async #prove({ tokens, key }: Held, { method, url }: AuthorizedRequest): Promise<readonly string[]> {
    const { accessToken } = tokens
    const proof = await key?.prove({ method, url, accessToken, nonce: this.#nonces.of(url) })
    return ['authorization', `DPoP ${accessToken}`, 'dpop', proof ?? '']
  }

  /** What was kept by another time or another process. */
  #load(): Promise<void> {
    this.#loading ??= this.#read().then(
      () => {
        this.#isLoaded = true
      },
      (error: unknown) => {
        this.#loading = undefined
        throw error
      },
    )
    return this.#loading
  }

  async #read(): Promise<void> {
    const stored = await this.#vault.load()
    const { dpop, issuer, server } = this.#options
    const isOfUse =
      stored !== undefined && (stored.type === 'dpop') === dpop && (issuer ?? stored.issuer) === stored.issuer
    if (!isOfUse) return
    checkLine(server)
    await this.#adopt(stored)
  }

  async #issuerOf({ issuer }: TokenSet): Promise<AuthorizationServer> {
    if (this.#found?.issuedBy.issuer === issuer) return this.#found.issuedBy
    const { http, server } = this.#options
    const isOwn = issuer === server.origin || issuer === `${server.origin}/`
    return isOwn ? readOwnMetadata(http, server) : readServerMetadata(http, issuer)
  }
}

/** @throws {AuthError} where anybody on the way could read the tokens */
function checkLine({ protocol, host, hostname }: URL): void {
  if (protocol === 'https:' || isLoopbackHost(hostname)) return
  throw new AuthError('policy.insecure', `Cannot sign in to ${host}: tokens would travel over an open line; use https`)
}

function toToken(sent: readonly string[]): string | undefined {
  const at = sent.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === 'authorization')
  return at < 0 ? undefined : sent[at + 1]?.split(' ')[1]
}

function noAttempts(): Attempts {
  return { hasRefreshed: false, hasObtained: false, stepUps: 0, isOver: false }
}

const NONE: readonly string[] = []
/** Answers to a refresh after which only a new grant helps. */
const NO_MORE: ReadonlySet<string> = new Set(['invalid_grant', 'invalid_client', 'unauthorized_client'])
/** Tokens are renewed this long before they expire, or in the last tenth of a short life. */
const RENEW_BEFORE_MS = 60_000
/** More scopes are asked for so often for one request. */
const MAX_STEP_UPS = 2
