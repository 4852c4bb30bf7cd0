import { ANONYMOUS, type Call, type Handle, McpError, type Result } from '@crosspoint/mcp'

/**
 * Turns of callers who share one connection with a server: nobody who is known by name has more than a share of its calls
 * at work, so that one who floods it does not keep the others out. Calls beyond the share wait in line, in order, and those
 * beyond the line are refused. Where callers are not told apart there is nobody to be fair to.
 */
export class Turns {
  readonly #server: string
  readonly #bounds: TurnBounds
  readonly #owners = new Map<string, Owner>()

  constructor(server: string, bounds: TurnBounds = TURN_BOUNDS) {
    this.#server = server
    this.#bounds = bounds
  }

  around(handle: Handle): Handle {
    return (call) => {
      const turn = this.take(call)
      return turn === undefined ? handle(call) : inTurn(turn, handle, call)
    }
  }

  /** Owners with calls at work or in line. */
  get size(): number {
    return this.#owners.size
  }

  /**
   * Resolves when it is the call's turn, to what ends it; undefined for a call that needs none.
   * @throws {McpError} `policy.limit` where too many of its caller's wait, `caller.cancelled` for one that is given up
   */
  take(call: Call): Promise<() => void> | undefined {
    const { id, tenant } = call.principal
    if ((id === ANONYMOUS.id && tenant === ANONYMOUS.tenant) || call.method === 'subscriptions/listen') return undefined
    const key = JSON.stringify([tenant, id])
    const owner = this.#owners.get(key) ?? { atWork: 0, line: new Set() }
    this.#owners.set(key, owner)
    const end = () => this.#end(key, owner)
    if (owner.atWork < this.#bounds.atWork) {
      owner.atWork++
      return Promise.resolve(end)
    }
    return this.#wait(call, owner, end)
  }

  async #wait({ method, cancellation }: Call, owner: Owner, end: () => void): Promise<() => void> {
    if (owner.line.size >= this.#bounds.inLine) {
      const message = `Cannot send "${method}" to "${this.#server}": ${owner.atWork} calls of yours are at work there, and ${owner.line.size} wait`
      throw new McpError('policy.limit', message)
    }
    await new Promise<void>((resolve, reject) => {
      const watcher = {
        cancelled() {
          if (owner.line.delete(next)) reject(new McpError('caller.cancelled', `Cancelled "${method}"`))
        },
      }
      const next = () => {
        cancellation.unwatch(watcher)
        resolve()
      }
      owner.line.add(next)
      cancellation.watch(watcher)
    })
    return end
  }

  /** The turn goes to who waits longest. */
  #end(key: string, owner: Owner): void {
    const [next] = owner.line
    if (next !== undefined) {
      owner.line.delete(next)
      next()
    } else if (--owner.atWork === 0) this.#owners.delete(key)
  }
}

async function inTurn(turn: Promise<() => void>, handle: Handle, call: Call): Promise<Result> {
  const end = await turn
  try {
    return await handle(call)
  } finally {
    end()
  }
}

interface Owner {
  atWork: number
  /** In the order in which they came. */
  readonly line: Set<() => void>
}

export interface TurnBounds {
  /** Of one caller at work at once. Default 48: of 64 sockets to one server, so that some stay. */
  readonly atWork: number
  /** Of one caller in line. Default 512. */
  readonly inLine: number
}

const TURN_BOUNDS: TurnBounds = Object.freeze({ atWork: 48, inLine: 512 })
