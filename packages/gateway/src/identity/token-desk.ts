import type { VerifyToken } from '@crosspoint/auth/node'
import { type Clock, type JsonObject, McpError, type Principal } from '@crosspoint/mcp'
import type { IssuerConfig, TokensConfig } from '../config/model-auth.ts'
import { type TokenBearer, toBearer } from './claims.ts'
import { type OwnTokens, toOwnIssuer } from './own-tokens.ts'
import { notNow, notTaken } from './refusals.ts'
import { Remembered } from './remembered.ts'

export interface TokenDeskNeeds {
  readonly clock: Clock
  readonly wallClock: () => number
  readonly sha256: (text: string) => string
  /** How tokens may name any endpoint there is. */
  readonly names: () => readonly string[]
  /** Tokens of our own, and who we are to those who have them. */
  readonly own?: { readonly tokens: OwnTokens; readonly issuers: () => ReadonlySet<string> } | undefined
}

interface GoodToken extends Pick<TokenBearer, 'audience' | 'expiresAt'> {
  readonly principal: Principal
  readonly issuer: IssuerConfig
  /** Of our own: what somebody agreed to, which this came of. */
  readonly grant: string | undefined
}

/** Finds out whose token is shown, and whether it is for the endpoint at which it is shown. */
export class TokenDesk {
  readonly #needs: TokenDeskNeeds
  readonly #good: Remembered<GoodToken>
  readonly #issuers: ReadonlyMap<string, Issuer>
  readonly #own = new Map<string, { readonly keys: JsonObject; readonly issuer: Issuer }>()
  #pending = 0

  /** @param before whose issuers, where they are the same, keep the keys they have read */
  constructor(
    needs: TokenDeskNeeds,
    config: { readonly tokens: TokensConfig; readonly issuers: readonly IssuerConfig[] },
    before?: TokenDesk,
  ) {
    this.#needs = needs
    this.#good = new Remembered(needs.clock, config.tokens)
    this.#issuers = new Map(
      config.issuers.map((issuer) => {
        const known = before === undefined ? undefined : before.#issuers.get(issuer.issuer)
        return [issuer.issuer, known?.isOf(issuer) === true ? known : new Issuer(issuer, needs)]
      }),
    )
  }

  /**
   * @param names how tokens may name the endpoint
   * @throws {McpError | AuthError} the same for every token that is not good here
   */
  principalOf(text: string, names: ReadonlySet<string>): Principal | Promise<Principal> {
    const good = this.#good.find(this.#needs.sha256(text))
    return good === undefined ? this.#look(text, names) : this.#admit(good, names)
  }

  async #look(text: string, names: ReadonlySet<string>): Promise<Principal> {
    const name = issuerOf(text) ?? ''
    const isOwn = this.#needs.own?.issuers().has(name) === true
    if (!isOwn && !this.#issuers.has(name)) throw notTaken('token')
    if (this.#pending >= MAX_PENDING) throw notNow()
    this.#pending++
    try {
      const issuer = isOwn ? await this.#ownIssuer(name) : this.#issuers.get(name)
      if (issuer === undefined) throw notTaken('token')
      const good = await issuer.check(text)
      this.#good.keep(this.#needs.sha256(text), good)
      return this.#admit(good, names)
    } finally {
      this.#pending--
    }
  }

  #admit(
    { principal, audience, expiresAt, issuer, grant }: GoodToken,
    names: ReadonlySet<string>,
  ): Principal | Promise<Principal> {
    const isForUs = audience.some((name) => names.has(name) || issuer.audience.includes(name))
    if (!isForUs || this.#needs.wallClock() >= expiresAt + LEEWAY_SECONDS * 1_000) throw notTaken('token')
    const { own } = this.#needs
    if (grant === undefined || own === undefined) return principal
    const isLive = own.tokens.isLive(grant)
    // Known at once, but for one call in seconds.
    if (isLive instanceof Promise) return isLive.then((is) => toLive(principal, is), refuseForNow)
    return toLive(principal, isLive)
  }

  /** With the keys of now: they are changed while tokens are checked. */
  async #ownIssuer(name: string): Promise<Issuer | undefined> {
    const { own } = this.#needs
    if (own === undefined) return undefined
    const keys = await own.tokens.keys().catch(refuseForNow)
    const known = this.#own.get(name)
    if (known?.keys === keys) return known.issuer
    const issuer = new Issuer(toOwnIssuer(name), this.#needs, keys)
    this.#own.set(name, { keys, issuer })
    return issuer
  }
}

function toLive(principal: Principal, isLive: boolean): Principal {
  if (isLive) return principal
  throw notTaken('token')
}

function refuseForNow(cause: unknown): never {
  throw notNow(cause)
}

/** One issuer, with its keys. */
class Issuer {
  readonly #config: IssuerConfig
  readonly #written: string
  readonly #needs: TokenDeskNeeds
  readonly #keys: JsonObject | undefined
  #verify: Promise<VerifyToken<TokenBearer>> | undefined

  /** @param keys given, where they are not to be read */
  constructor(config: IssuerConfig, needs: TokenDeskNeeds, keys?: JsonObject) {
    this.#config = config
    this.#keys = keys
    this.#written = toText(config)
    this.#needs = needs
  }

  isOf(config: IssuerConfig): boolean {
    return toText(config) === this.#written
  }

  async check(text: string): Promise<GoodToken> {
    this.#verify ??= this.#load()
    const verify = await this.#verify
    const { id, tenant, scopes, attributes, audience, expiresAt } = await verify({ authorization: `Bearer ${text}` })
    const { grant } = this.#keys === undefined ? {} : (attributes.claims as { readonly grant?: unknown }) // as `toBearer` has it
    return {
      principal: Object.freeze({ id, tenant, scopes, attributes }),
      audience,
      expiresAt,
      issuer: this.#config,
      grant: typeof grant === 'string' ? grant : undefined,
    }
  }

  /** Loaded with the first token: it brings what makes requests and checks signatures. */
  async #load(): Promise<VerifyToken<TokenBearer>> {
    const { verifyToken } = await import('@crosspoint/auth/node')
    const { issuer, audience, algorithms, types, scopesImplied } = this.#config
    const keys = this.#keys ?? this.#config.keys
    return verifyToken<TokenBearer>({
      resource: () => [...this.#needs.names(), ...audience],
      issuers: [keys === undefined ? issuer : { issuer, keys }],
      ...(algorithms === undefined ? {} : { algorithms }),
      types,
      implied: Object.fromEntries(scopesImplied),
      leewaySeconds: LEEWAY_SECONDS,
      now: this.#needs.wallClock,
      principal: (claims) => this.#toBearer(claims),
    })
  }

  #toBearer(claims: JsonObject): TokenBearer {
    try {
      return toBearer(claims, this.#config)
    } catch (error) {
      throw error instanceof McpError ? error : notTaken('token')
    }
  }
}

function toText(config: IssuerConfig): string {
  return JSON.stringify({ ...config, scopesImplied: [...config.scopesImplied] })
}

/** Read before anything is checked, only to know whose keys to check it with. */
function issuerOf(token: string): string | undefined {
  const [, payload = ''] = token.split('.', 2)
  try {
    const claims: unknown = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')))
    const { iss } = claims as { readonly iss?: unknown }
    return typeof iss === 'string' ? iss : undefined
  } catch {
    // No token of ours: of what is wrong with it nothing is said anyway.
    return undefined
  }
}

/** How far clocks may be apart. */
const LEEWAY_SECONDS = 30
/** Tokens being checked; more are told to come again. */
const MAX_PENDING = 1_000
