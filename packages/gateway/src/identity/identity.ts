import { ANONYMOUS, type Clock, type Principal } from '@crosspoint/mcp'
import type { Endpoint, ResourceMetadata } from '@crosspoint/mcp/transports'
import type { GatewayConfig } from '../config/model.ts'
import type { AuthConfig } from '../config/model-auth.ts'
import type { Log } from '../log.ts'
import type { KeyStore } from '../stores/contract/key-store.ts'
import { parseCredential } from './credential.ts'
import { KeyRing } from './key-ring.ts'
import type { OwnTokens } from './own-tokens.ts'
import { type Place, toNames, toResource } from './places.ts'
import { notTaken } from './refusals.ts'
import { Seen } from './seen.ts'
import { TokenDesk } from './token-desk.ts'

type Authenticate = NonNullable<Endpoint['authenticate']>

export interface IdentityNeeds {
  readonly config: GatewayConfig
  /** Where API keys are. Absent: there are none, whatever the configuration says. */
  readonly keys?: KeyStore | undefined
  readonly clock: Clock
  /** Milliseconds since 1970. */
  readonly wallClock: () => number
  readonly log: Log
  /** SHA-256 as base64url. */
  readonly sha256: (text: string) => string
  /** Where the gateway gives tokens itself. */
  readonly ownTokens?: (() => OwnTokens | undefined) | undefined
  /** The scopes that a client should ask for at first, for a view. Default: none are named. */
  readonly scopesSupported?: ((view: string | undefined) => readonly string[] | undefined) | undefined
}

/** A door that is open: what is served there, and until when. */
export interface OpenedPlace {
  /** Whose tokens those are that the gateway gives itself, there. */
  readonly issuer: string
  /** What the resource at a path says of itself (RFC 9728); undefined where no issuer gives tokens for it. */
  metadata(path: string): ResourceMetadata | undefined
  close(): void
}

/** Who callers are: live, whatever the configuration becomes. */
export class Identity {
  readonly #needs: IdentityNeeds
  readonly #places = new Set<Place>()
  readonly #names = new Map<string | undefined, ReadonlySet<string>>()
  /** Who was found out lately. */
  readonly seen: Pick<Seen, 'all'>
  readonly #seen: Seen
  #config: GatewayConfig
  #ring: KeyRing | undefined
  #desk: TokenDesk | undefined
  /** Tokens that callers showed, where they are exchanged for others; gone with the caller. */
  readonly #tokens = new WeakMap<Principal, string>()
  #keepsTokens = false

  constructor(needs: IdentityNeeds) {
    this.#needs = needs
    this.#config = needs.config
    this.#seen = new Seen(needs.wallClock)
    this.seen = this.#seen
    this.#prepare(needs.config.auth)
  }

  /** Whether callers over HTTP are asked who they are. */
  get asks(): boolean {
    return this.#config.auth !== undefined
  }

  /** Whose calls those over stdio are. */
  get local(): Principal {
    const stdio = this.#config.auth?.stdio
    if (stdio === undefined) return ANONYMOUS
    return Object.freeze({ id: stdio.principal, tenant: stdio.tenant, attributes: { roles: stdio.roles } })
  }

  /** The token a caller showed; undefined where it showed none, and where none is exchanged. */
  tokenOf(principal: Principal): string | undefined {
    return this.#tokens.get(principal)
  }

  /** From here on; nothing that was found good before is taken for good any more. */
  apply(config: GatewayConfig): void {
    this.#config = config
    this.#names.clear()
    this.#prepare(config.auth)
  }

  /** How a view finds out who calls. */
  authenticate(view: string | undefined): Authenticate {
    return (headers) => {
      const { kind, text } = parseCredential(headers)
      const principal =
        kind === 'key' ? this.#ring?.principalOf(text) : this.#desk?.principalOf(text, this.#namesOf(view))
      if (principal === undefined) throw notTaken(kind)
      const known = kind === 'token' && this.#keepsTokens ? this.#keepToken(principal, text) : principal
      // Who is known still was seen when it was looked up.
      return known instanceof Promise ? this.#seen.note(kind, known) : known
    }
  }

  /** Told of a door: where there is no public address, tokens name endpoints by its own. */
  opened(place: Place): OpenedPlace {
    this.#places.add(place)
    this.#names.clear()
    const issuer = () => this.#issuerAt(place)
    return {
      get issuer() {
        return issuer()
      },
      metadata: (path) => this.#describe(path, place),
      close: () => {
        this.#places.delete(place)
        this.#names.clear()
      },
    }
  }

  #keepToken(found: Principal | Promise<Principal>, text: string): Principal | Promise<Principal> {
    if (found instanceof Promise) return found.then((principal) => this.#keepToken(principal, text))
    this.#tokens.set(found, text)
    return found
  }

  #describe(path: string, place: Place): ResourceMetadata | undefined {
    const { auth, views } = this.#config
    if (auth === undefined || (auth.issuers.length === 0 && auth.server === undefined)) return undefined
    const found = toResource(path, place, auth.resource, (view) => views.has(view))
    if (found === undefined) return undefined
    const scopes = this.#needs.scopesSupported?.(found.view)
    const title = found.view === undefined ? undefined : views.get(found.view)?.title
    return {
      resource: found.url,
      authorization_servers: [
        ...(auth.server === undefined ? [] : [this.#issuerAt(place)]),
        ...auth.issuers.map(({ issuer }) => issuer),
      ],
      bearer_methods_supported: ['header'],
      ...(scopes === undefined ? {} : { scopes_supported: scopes }),
      ...(title === undefined ? {} : { resource_name: title }),
    }
  }

  #namesOf(view: string | undefined): ReadonlySet<string> {
    const known = this.#names.get(view)
    if (known !== undefined) return known
    const names = new Set(toNames(view, this.#places, this.#config.auth?.resource))
    this.#names.set(view, names)
    return names
  }

  #prepare(auth: AuthConfig | undefined): void {
    const { keys } = this.#needs
    this.#keepsTokens = [...this.#config.servers.values()].some((server) => server.auth?.kind === 'exchange')
    this.#ring =
      auth?.keys.enabled === true && keys !== undefined ? new KeyRing({ ...this.#needs, keys }, auth.keys) : undefined
    const tokens = auth?.server === undefined ? undefined : this.#needs.ownTokens?.()
    const own =
      tokens === undefined
        ? undefined
        : { tokens, issuers: () => new Set([...this.#places].map((place) => this.#issuerAt(place))) }
    const needs = { ...this.#needs, names: () => this.resources, own }
    const isEmpty = auth === undefined || (auth.issuers.length === 0 && own === undefined)
    this.#desk = isEmpty ? undefined : new TokenDesk(needs, auth, this.#desk)
  }

  /** The origin, which clients of older revisions look at. */
  #issuerAt({ origin }: Place): string {
    const { resource } = this.#config.auth ?? {}
    return resource === undefined ? origin : new URL(resource).origin
  }

  /** How tokens may name any endpoint there is. */
  get resources(): readonly string[] {
    return [undefined, ...this.#config.views.keys()].flatMap((view) => [...this.#namesOf(view)])
  }
}
