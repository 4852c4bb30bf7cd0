import type { Authorization } from '@crosspoint/auth'
import { type Call, McpError, type Principal } from '@crosspoint/mcp'
import type { ServerConfig } from '../config/model.ts'
import type { DiscoveryConfig, ExchangeConfig, OAuthConfig } from '../config/model-secrets.ts'
import { isNobody } from '../identity/nobody.ts'
import type { Log } from '../log.ts'
import { shown } from '../shown.ts'
import type { Access, PerCaller } from '../upstreams/access.ts'
import type { Caller } from '../upstreams/context.ts'
import { toReason } from '../upstreams/explain.ts'
import { toToolError } from '../upstreams/sentences.ts'
import { toTarget } from '../upstreams/target.ts'
import { CredentialError } from './credential-error.ts'
import { createExchange, Exchanged } from './exchanged.ts'
import { type AccessNeeds, toFilled, withAuthorization } from './plain-access.ts'
import type { CredentialOwner } from './sealed-tokens.ts'
import { requireSignIn, type SignInDesk } from './sign-in.ts'
import { signInBehind } from './sign-in-required.ts'
import { SignedIn, type SignedInNeeds } from './signed-in.ts'

export interface CallerAccess extends Access {
  readonly perCaller: PerCaller
  /** An owner has another credential, or none any more. */
  changed(owner: CredentialOwner): void
}

/** Each caller by what it got when it signed in with a browser; the gateway itself by an account of its own. */
export function createSignedInAccess(
  config: () => ServerConfig,
  auth: OAuthConfig,
  needs: SignedInNeeds & { readonly desk: SignInDesk; readonly log: Log },
): CallerAccess {
  const server = config().name
  const holders = new Holders((owner) => new SignedIn({ server, url: urlOf(config()), auth }, owner, needs))
  const isMissing = (error: unknown) => signInBehind(error) !== undefined
  return {
    async target(caller) {
      const own = await toDiscovery(config(), caller, auth.discovery, needs)
      return (
        own ??
        withAuthorization(await toFilled(config().transport, false, needs), holders.of(toOwner(caller?.principal)))
      )
    },
    changed: (owner) => holders.known(owner)?.forget(),
    perCaller: {
      credentialOf: () => '',
      isMissing,
      around: (next) =>
        requireSignIn(next, {
          server,
          desk: needs.desk,
          isMissing,
          tell: (error) =>
            needs.log.warn({ upstream: server, reason: toReason(error) }, 'A sign-in cannot be looked at'),
          ownerOf: ({ principal }) => toOwner(principal),
          holderOf: ({ principal }) => holders.of(toOwner(principal)),
        }),
    },
  }
}

export interface ExchangeNeeds extends AccessNeeds {
  /** The token a caller showed; undefined where it showed none. */
  readonly subjectOf: (principal: Principal) => string | undefined
}

/** Each caller by what its token is exchanged for; the gateway itself without a token. */
export function createExchangedAccess(config: () => ServerConfig, auth: ExchangeConfig, needs: ExchangeNeeds): Access {
  const { name } = config()
  let made: ReturnType<typeof createExchange> | undefined
  const exchange = () => {
    made ??= createExchange(auth, needs).catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
  const holders = new Holders(() => new Exchanged(exchange, needs.wallClock))
  const holderOf = (principal: Principal) => holders.of(toOwner(principal), credentialOf(principal))
  return {
    async target(caller) {
      const filled = await toFilled(config().transport, false, needs)
      const own = await toDiscovery(config(), caller, auth.discovery, needs)
      if (own !== undefined || caller === undefined) return own ?? filled
      return withAuthorization(filled, holderOf(caller.principal))
    },
    perCaller: {
      credentialOf,
      isMissing: () => false,
      around: (next) => {
        const slowly = async (call: Call, holder: Exchanged) => {
          try {
            await holder.prepare(needs.subjectOf(call.principal))
          } catch (error) {
            return refuse(call, name, error)
          }
          return next(call)
        }
        return (call) => {
          const holder = holderOf(call.principal)
          return holder.isReady ? next(call) : slowly(call, holder)
        }
      },
    },
  }
}

/** Tokens that may do different things are exchanged for different ones. */
function credentialOf({ scopes }: Principal): string {
  return scopes === undefined ? '' : JSON.stringify([...scopes].sort())
}

function refuse(call: Call, server: string, error: unknown) {
  const isOurs = error instanceof Error && (error.name === 'AuthError' || error instanceof CredentialError)
  const reason = isOurs ? shown(error.message, 300) : 'the log of the gateway says why'
  const sentence = `The server "${server}" cannot be used for this caller: ${reason}`
  if (call.method === 'tools/call') return toToolError(sentence)
  throw new McpError('upstream.unauthorized', sentence, { cause: error })
}

/** Headers with which the gateway itself reads the lists, where there are any. */
async function toDiscovery(
  { transport }: ServerConfig,
  caller: Caller | undefined,
  discovery: DiscoveryConfig | undefined,
  { secrets, env, windows }: AccessNeeds,
) {
  if (caller !== undefined || discovery === undefined || transport.kind === 'stdio') return undefined
  const headers = await secrets.fill({ ...transport.headers, ...discovery.headers })
  return toTarget({ ...transport, headers }, env, windows)
}

/** Whom nobody tells apart is the one person there is: that of the gateway itself. */
export function toOwner(principal: Principal | undefined): CredentialOwner {
  if (principal === undefined || isNobody(principal.id, principal.tenant)) return GATEWAY
  const { tenant, id } = principal
  // Both empty are the gateway's own.
  if (tenant === '' && id === '') throw new McpError('caller.unauthenticated', 'Cannot tell who is calling')
  return { tenant, principal: id }
}

/** The gateway's own account. */
const GATEWAY: CredentialOwner = Object.freeze({ tenant: '', principal: '' })

function urlOf({ transport }: ServerConfig): string {
  return transport.kind === 'stdio' ? '' : transport.url
}

/** What owners have at hand; who was not seen for longest makes room. */
class Holders<Held extends Authorization> {
  readonly #make: (owner: CredentialOwner) => Held
  readonly #held = new Map<string, Held>()

  constructor(make: (owner: CredentialOwner) => Held) {
    this.#make = make
  }

  of(owner: CredentialOwner, credential = ''): Held {
    const key = toKey(owner, credential)
    const held = this.#held.get(key)
    if (held !== undefined) return held
    if (this.#held.size >= MAX_HELD) {
      const [oldest] = this.#held.keys()
      if (oldest !== undefined) this.#held.delete(oldest)
    }
    const made = this.#make(owner)
    this.#held.set(key, made)
    return made
  }

  known(owner: CredentialOwner): Held | undefined {
    return this.#held.get(toKey(owner, ''))
  }
}

function toKey({ tenant, principal }: CredentialOwner, credential: string): string {
  return `${tenant.length}:${tenant}${principal.length}:${principal}${credential}`
}

const MAX_HELD = 10_000
