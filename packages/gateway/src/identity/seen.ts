import type { Principal } from '@crosspoint/mcp'

/** Somebody who showed a credential that was good. */
export interface Sighting {
  readonly principal: Principal
  readonly credential: 'key' | 'token'
  /** Milliseconds since 1970: when the credential was last looked up or checked. */
  readonly at: number
}

/** Who was found out lately; noted when a credential is looked up, and never with a call. */
export class Seen {
  readonly #wallClock: () => number
  readonly #sightings = new Map<string, Sighting>()

  constructor(wallClock: () => number) {
    this.#wallClock = wallClock
  }

  /** Newest first. */
  all(): readonly Sighting[] {
    return [...this.#sightings.values()].reverse()
  }

  /** Passes on who it is, once that is known. */
  async note(credential: Sighting['credential'], found: Promise<Principal>): Promise<Principal> {
    const principal = await found
    const { tenant, id, attributes } = principal
    const name = JSON.stringify([tenant, id, credential, attributes?.key])
    this.#sightings.delete(name)
    this.#sightings.set(name, { principal, credential, at: this.#wallClock() })
    const [oldest] = this.#sightings.keys()
    if (this.#sightings.size > MAX_SEEN && oldest !== undefined) this.#sightings.delete(oldest)
    return principal
  }
}

const MAX_SEEN = 1_000
