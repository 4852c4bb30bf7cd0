import { ANONYMOUS, type Call, McpError } from '@crosspoint/mcp'

/** How many resources and tasks all listeners watch together, of which nobody who is known by name may have more than a share. */
export class WatchShares {
  readonly #max: number
  readonly #owners = new Map<string, number>()
  #all = 0

  constructor(max: number) {
    this.#max = max
  }

  /**
   * @returns what gives them back
   * @throws {McpError} `policy.limit` where the caller has its share, `policy.busy` where all of them are taken
   */
  take({ principal: { tenant, id } }: Pick<Call, 'principal'>, count: number): () => void {
    const owner = JSON.stringify([tenant, id])
    const own = (this.#owners.get(owner) ?? 0) + count
    const isNamed = id !== ANONYMOUS.id || tenant !== ANONYMOUS.tenant
    if (isNamed && own > this.#max * SHARE) {
      throw new McpError(
        'policy.limit',
        `Cannot watch ${count} more: this caller may watch ${this.#max * SHARE} in all`,
      )
    }
    if (this.#all + count > this.#max) {
      throw new McpError('policy.busy', `Cannot watch ${count} more: ${this.#all} are watched already`)
    }
    this.#all += count
    this.#owners.set(owner, own)
    return () => {
      this.#all -= count
      const left = (this.#owners.get(owner) ?? 0) - count
      if (left > 0) this.#owners.set(owner, left)
      else this.#owners.delete(owner)
    }
  }
}

const SHARE = 1 / 4
