import type { Authorization, AuthorizationOptions } from '@crosspoint/auth'
import type { Target } from '@crosspoint/mcp/client'
import type { ServerConfig, TransportConfig } from '../config/model.ts'
import type { ClientCredentialsConfig } from '../config/model-secrets.ts'
import { secretsOf } from '../config/secret-marks.ts'
import type { Access } from '../upstreams/access.ts'
import { toTarget } from '../upstreams/target.ts'
import type { Secrets } from './secrets.ts'

export interface AccessNeeds {
  readonly secrets: Secrets
  /** Of this process, of which a started server inherits what its configuration allows. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly windows: boolean
  readonly wallClock: () => number
}

/** As the configuration says, whoever calls. */
export function createPlainAccess(config: () => ServerConfig, needs: AccessNeeds): Access {
  const { secrets, env, windows } = needs
  return {
    target() {
      const { transport } = config()
      const names = secretsOf(transport)
      if (names.length === 0) return toTarget(transport, env, windows)
      return toFilled(
        transport,
        names.some((name) => secrets.mayChange(name)),
        needs,
      )
    },
  }
}

/** As the gateway itself, by a client that is registered with an issuer. */
export function createOwnAccess(config: () => ServerConfig, auth: ClientCredentialsConfig, needs: AccessNeeds): Access {
  let made: Promise<Authorization> | undefined
  const make = async () => {
    const { clientCredentials } = await import('@crosspoint/auth/node')
    return clientCredentials({ ...toOptions(auth, needs), client: await toClient(auth, needs.secrets) })
  }
  return {
    async target() {
      made ??= make()
      // A secret that cannot be had now may be there the next time.
      made.catch(() => {
        made = undefined
      })
      return withAuthorization(await toFilled(config().transport, false, needs), await made)
    },
  }
}

/** Options that all ways to sign in have in common. */
export function toOptions(
  { scopes, trustedHosts, issuer }: Pick<ClientCredentialsConfig, 'scopes' | 'trustedHosts' | 'issuer'>,
  { wallClock }: Pick<AccessNeeds, 'wallClock'>,
): AuthorizationOptions {
  return {
    now: wallClock,
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    ...(trustedHosts.length === 0 ? {} : { trustedHosts }),
    ...(issuer === undefined ? {} : { issuer }),
  }
}

/** @throws {CredentialError} where a secret of it cannot be had */
export async function toClient(
  { client, issuer }: Pick<ClientCredentialsConfig, 'client' | 'issuer'>,
  secrets: Secrets,
) {
  const filled = await secrets.fill(client)
  return issuer === undefined ? filled : { ...filled, issuer }
}

export function withAuthorization(target: Target, authorization: Authorization): Target {
  return target.kind === 'http' ? { ...target, authorization } : target
}

/** @param mayChange secrets in headers may become others while a connection lasts */
export async function toFilled(
  transport: TransportConfig,
  mayChange: boolean,
  { secrets, env, windows }: AccessNeeds,
): Promise<Target> {
  if (transport.kind === 'stdio') {
    return toTarget({ ...transport, env: await secrets.fill(transport.env) }, env, windows)
  }
  const { headers } = transport
  if (!mayChange) return toTarget({ ...transport, headers: await secrets.fill(headers) }, env, windows)
  const isSecret = ([, value]: readonly [string, string]) => secretsOf(value).length > 0
  const fixed = Object.fromEntries(Object.entries(headers).filter((header) => !isSecret(header)))
  const secret = Object.fromEntries(Object.entries(headers).filter(isSecret))
  const authorization = new SecretHeaders(() => secrets.fill(secret), await secrets.fill(secret))
  return withAuthorization(toTarget({ ...transport, headers: fixed }, env, windows), authorization)
}

/** Headers from secrets in files or the vault: looked up again where a server refuses them, once a request. */
class SecretHeaders implements Authorization {
  readonly isAsking = false
  readonly #look: () => Promise<Readonly<Record<string, string>>>
  #headers: readonly string[]

  constructor(look: () => Promise<Readonly<Record<string, string>>>, found: Readonly<Record<string, string>>) {
    this.#look = look
    this.#headers = Object.entries(found).flat()
  }

  headers(): readonly string[] {
    return this.#headers
  }

  async refused({ status, refusals, sent }: Parameters<Authorization['refused']>[0]): Promise<boolean> {
    if (status !== 401 || refusals > 0) return false
    this.#headers = Object.entries(await this.#look()).flat()
    return this.#headers.join('\n') !== sent.join('\n')
  }

  nonce(): void {}
}
