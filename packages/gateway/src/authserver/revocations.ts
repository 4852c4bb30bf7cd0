import type { Clock } from '@crosspoint/mcp'
import { LRUCache } from 'lru-cache'
import type { GrantStore } from '../stores/contract/grant-store.ts'

/** Whether what somebody agreed to still holds: asked for with every call, looked up once in {@link LOOK_MS}. */
export class Revocations {
  readonly #grants: GrantStore
  readonly #clock: Clock
  readonly #known = new LRUCache<string, { readonly isLive: boolean; readonly until: number }>({ max: MAX_KNOWN })

  constructor(grants: GrantStore, clock: Clock) {
    this.#grants = grants
    this.#clock = clock
  }

  /** Where it cannot be found out, nobody is let in: rejects. */
  isLive(grant: string): boolean | Promise<boolean> {
    const known = this.#known.get(grant)
    return known !== undefined && this.#clock.now() < known.until ? known.isLive : this.#look(grant)
  }

  async #look(grant: string): Promise<boolean> {
    const until = this.#clock.now() + LOOK_MS
    const isLive = (await this.#grants.find('Grant', grant)) !== undefined
    this.#known.set(grant, { isLive, until })
    return isLive
  }
}

const LOOK_MS = 1_500
const MAX_KNOWN = 10_000
