import type { Clock, JsonObject } from '@crosspoint/mcp'
import type { Log } from '../log.ts'
import type { Store } from '../stores/contract/store.ts'
import type { Counters } from '../traffic/counters.ts'

export interface AuthServerNeeds {
  readonly store: Pick<Store, 'accounts' | 'grants'>
  readonly clock: Clock
  /** Milliseconds since 1970. */
  readonly wallClock: () => number
  readonly log: Log
  readonly env: Readonly<Record<string, string | undefined>>
  readonly counters: Counters
  /** Scopes of the gateway. */
  readonly scopes: () => readonly string[]
  /** What tokens may be for: URLs of endpoints. */
  readonly resources: () => ReadonlySet<string>
  /** How documents and keys of others are fetched. Default: from plainly public hosts only. */
  readonly fetch?: typeof fetch | undefined
  /** Something happened that is worth remembering. */
  readonly happened: (event: string, about: JsonObject) => void
}
