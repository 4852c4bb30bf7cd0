import type { JsonObject } from '@crosspoint/mcp'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { AuthServerConfig } from '../config/model-auth-server.ts'
import type { Log } from '../log.ts'
import type { GrantStore } from '../stores/contract/grant-store.ts'
import type { People } from './people.ts'
import type { Seal } from './seal.ts'
import type { SigningKeys } from './signing-keys.ts'

/** The one scope that everybody is given: it opens nothing that another scope covers. */
export const BASE_SCOPE = 'mcp'

export interface ProviderNeeds {
  readonly issuer: string
  readonly config: AuthServerConfig
  readonly keys: SigningKeys
  readonly grants: GrantStore
  readonly seal: Seal
  readonly people: People
  readonly now: () => number
  readonly log: Log
  /** How documents and keys of clients are fetched. */
  readonly fetch: typeof fetch
  /** How keys of other issuers are. Default: that of the platform, with addresses pinned. */
  readonly fetchKeys: typeof fetch | undefined
  /** Scopes of the gateway. */
  readonly scopes: () => readonly string[]
  /** What tokens may be for: URLs of endpoints. */
  readonly resources: () => ReadonlySet<string>
  /** Of the endpoint of everything: what a client of a revision that names none gets a token for. */
  readonly mainResource: string
  /** Whether a document may be fetched now, for whoever asked for it. */
  readonly mayFetch: (context: KoaContextWithOIDC) => Promise<boolean>
  /** Something happened that is worth remembering. */
  readonly happened: (event: string, about: JsonObject) => void
}
