import { type Clock, McpError, type Principal } from '@crosspoint/mcp'
import type { GatewayConfig } from '../config/model.ts'
import { isSameDigest } from '../identity/api-key.ts'
import { TokenDesk } from '../identity/token-desk.ts'
import { Attempts } from './attempts.ts'
import { Problem } from './problem.ts'
import { type Role, toRole } from './roles.ts'

/** Who asks. */
export interface Asker {
  readonly tenant: string
  readonly id: string
  readonly role: Role
}

export interface AccessNeeds {
  readonly config: () => GatewayConfig
  /** Taken besides what the configuration says. */
  readonly token: string | undefined
  /** How tokens of issuers may name this API. */
  readonly names: () => readonly string[]
  readonly clock: Clock
  readonly wallClock: () => number
  /** As base64url. */
  readonly sha256: (text: string) => string
}

/** Finds out who asks: by the token that was printed or configured, or by one of an issuer. Nobody else may anything. */
export class Access {
  readonly #needs: AccessNeeds
  readonly #attempts: Attempts
  #desk: TokenDesk | undefined
  #deskOf: GatewayConfig | undefined

  constructor(needs: AccessNeeds) {
    this.#needs = needs
    this.#attempts = new Attempts(needs.clock)
  }

  /**
   * @param from address of whoever asks: who fails too often is not heard for a while
   * @throws {Problem} the same for every token that is not good
   */
  async admit(authorization: string | undefined, from: string): Promise<Asker> {
    const [, token] = /^bearer +([\x21-\x7e]{1,16384})$/i.exec(authorization ?? '') ?? []
    if (token === undefined) {
      throw new Problem('unauthenticated', 'A token is needed', { hint: 'Send it as "Authorization: Bearer …"' })
    }
    const digest = this.#needs.sha256(token)
    const waitMs = this.#attempts.waitFor(from, digest)
    if (waitMs > 0) {
      throw new Problem('too_many', 'Too many tokens from this address were no good', {
        retryAfterSeconds: Math.ceil(waitMs / 1_000),
      })
    }
    try {
      const asker = this.#ofSecret(digest) ?? (await this.#ofIssuer(token))
      this.#attempts.good(digest)
      return asker
    } catch (error) {
      if (error instanceof Problem && error.code === 'unauthenticated') this.#attempts.bad(from)
      throw error
    }
  }

  #ofSecret(digest: string): Asker | undefined {
    const { token, config, sha256 } = this.#needs
    const secrets = [token, config().admin.token]
    // Each is compared, so that the time it takes does not tell which there are.
    const same = secrets.filter((secret) => secret !== undefined && isSameDigest(sha256(secret), digest))
    return same.length === 0 ? undefined : { tenant: 'admin', id: 'token', role: 'admin' }
  }

  async #ofIssuer(token: string): Promise<Asker> {
    const principal = await this.#principalOf(token)
    const role = toRole(rolesOf(principal), this.#needs.config().admin.roles)
    if (role === undefined) {
      throw new Problem('forbidden', 'No role of this token may use the admin API', {
        hint: '"admin.roles" says which roles may',
      })
    }
    return { tenant: principal.tenant, id: principal.id, role }
  }

  async #principalOf(token: string): Promise<Principal> {
    const desk = this.#deskOfNow()
    try {
      if (desk !== undefined) return await desk.principalOf(token, new Set(this.#names()))
    } catch (error) {
      if (!isAboutToken(error)) throw error
    }
    throw new Problem('unauthenticated', 'This token is not valid here, or no longer', {
      hint: 'The start of the gateway says where its token is; tokens of issuers have to name the admin API',
    })
  }

  #names(): readonly string[] {
    return [...this.#needs.names(), ...this.#needs.config().admin.audience]
  }

  /** Its issuers are those of callers, but their names for endpoints are none for this. */
  #deskOfNow(): TokenDesk | undefined {
    const config = this.#needs.config()
    if (config !== this.#deskOf) {
      const { auth, admin } = config
      const issuers = (auth?.issuers ?? []).map((issuer) => ({ ...issuer, audience: admin.audience }))
      const needs = { ...this.#needs, names: () => this.#names() }
      this.#desk = auth === undefined ? undefined : new TokenDesk(needs, { tokens: auth.tokens, issuers }, this.#desk)
      this.#deskOf = config
    }
    return this.#desk
  }
}

/** By its name: what checks signatures is loaded with the first token that needs it. */
function isAboutToken(error: unknown): boolean {
  if (error instanceof McpError) return error.code !== 'policy.busy'
  return error instanceof Error && error.name === 'AuthError'
}

/** As `identity/` says of whom it let in. */
function rolesOf({ attributes }: Principal): readonly string[] {
  const roles = attributes?.roles
  return Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : []
}
