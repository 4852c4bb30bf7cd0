import type { Authorization, AuthorizationRefusal, ExchangedToken, SubjectToken } from '@crosspoint/auth'
import type { ExchangeConfig } from '../config/model-secrets.ts'
import { CredentialError } from './credential-error.ts'
import { type AccessNeeds, toClient } from './plain-access.ts'

type Exchange = (subject: SubjectToken) => Promise<ExchangedToken>

/** Exchanges tokens for one server. */
export async function createExchange(auth: ExchangeConfig, { secrets, wallClock }: AccessNeeds): Promise<Exchange> {
  const { tokenExchange } = await import('@crosspoint/auth/node')
  const { issuer, tokenEndpoint, audience, resource, scopes, trustedHosts } = auth
  return tokenExchange({
    issuer,
    client: await toClient({ client: auth.client }, secrets),
    resource,
    now: wallClock,
    ...(tokenEndpoint === undefined ? {} : { tokenEndpoint }),
    ...(audience === undefined ? {} : { audience }),
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    ...(trustedHosts.length === 0 ? {} : { trustedHosts }),
  })
}

/** The token of one caller for one server, got for what the caller showed last. */
export class Exchanged implements Authorization {
  readonly isAsking = false
  readonly #exchange: () => Promise<Exchange>
  readonly #wallClock: () => number
  #subject: string | undefined
  #headers: readonly string[] = []
  #goodUntil = 0
  #exchanging: Promise<void> | undefined

  constructor(exchange: () => Promise<Exchange>, wallClock: () => number) {
    this.#exchange = exchange
    this.#wallClock = wallClock
  }

  get isReady(): boolean {
    return this.#wallClock() < this.#goodUntil
  }

  /**
   * Sees to it that there is a token.
   * @param subject what the caller showed with this call
   * @throws {AuthError | CredentialError}
   */
  async prepare(subject: string | undefined): Promise<void> {
    if (subject === undefined) {
      throw new CredentialError(
        'sign-in',
        'you came with nothing that can be exchanged: come with a token, not with a key',
      )
    }
    this.#subject = subject
    await this.#renew()
  }

  headers(): readonly string[] {
    return this.#headers
  }

  async refused({ status, refusals, sent }: AuthorizationRefusal): Promise<boolean> {
    if (status !== 401 || refusals > 0 || this.#subject === undefined) return false
    if (sent.join('\n') === this.#headers.join('\n')) {
      this.#goodUntil = 0
      await this.#renew()
    }
    return true
  }

  nonce(): void {}

  async #renew(): Promise<void> {
    this.#exchanging ??= this.#renewNow().finally(() => {
      this.#exchanging = undefined
    })
    await this.#exchanging
  }

  async #renewNow(): Promise<void> {
    const exchange = await this.#exchange()
    const { accessToken, expiresAt } = await exchange({ token: this.#subject ?? '' })
    const left = expiresAt === undefined ? UNKNOWN_LIFE_MS : expiresAt - this.#wallClock()
    this.#headers = ['authorization', `Bearer ${accessToken}`]
    this.#goodUntil = this.#wallClock() + left - Math.min(EARLY_MS, left / 10)
  }
}

/** Of a token of which nobody said how long it lives. */
const UNKNOWN_LIFE_MS = 300_000
const EARLY_MS = 30_000
