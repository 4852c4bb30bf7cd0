import { McpError } from '../errors.ts'
import type { Clock } from '../peer/clock.ts'
import { pause } from '../peer/until-cancelled.ts'
import type { Call, Handle } from '../protocol/call.ts'
import type { Closed, Connection } from './connection.ts'

export interface RestartOptions {
  /** Starts in a row that may fail, or end within a minute, before the server is given up. Default 5. */
  readonly maxFailures?: number
}

/**
 * A connection to a child that is started again when it dies: by the next call, not sooner than a pause that grows
 * with every death. Calls that were at work fail as they would without; subscriptions are opened again and so start
 * it by themselves.
 * @param open starts it; handed the connection before, whose verdict saves a probe
 */
export async function openRestarting(
  open: (before: Connection | undefined) => Promise<Connection>,
  clock: Clock,
  { maxFailures = 5 }: RestartOptions,
): Promise<Connection> {
  const restarting = new Restarting(open, clock, maxFailures)
  await restarting.start()
  return restarting
}

class Restarting implements Connection {
  readonly closed: Promise<Closed>
  readonly #open: (before: Connection | undefined) => Promise<Connection>
  readonly #clock: Clock
  readonly #maxFailures: number
  #last: Connection | undefined
  #live: Connection | undefined
  #starting: Promise<Connection> | undefined
  #startedAt = 0
  #failures = 0
  /** Why it is over for good. */
  #end: Closed | undefined
  #setClosed: (closed: Closed) => void = () => {}

  constructor(open: (before: Connection | undefined) => Promise<Connection>, clock: Clock, maxFailures: number) {
    this.#open = open
    this.#clock = clock
    this.#maxFailures = maxFailures
    this.closed = new Promise((resolve) => {
      this.#setClosed = resolve
    })
  }

  get verdict() {
    return this.#known().verdict
  }

  get serverInfo() {
    return this.#known().serverInfo
  }

  get capabilities() {
    return this.#known().capabilities
  }

  get instructions() {
    return this.#known().instructions
  }

  readonly handle: Handle = async (call) => (this.#live ?? (await this.#again(call))).handle(call)

  async tell(notification: Parameters<Connection['tell']>[0]): Promise<void> {
    await this.#live?.tell(notification)
  }

  async start(): Promise<void> {
    await this.#start()
  }

  async close(): Promise<void> {
    this.#finish({ reason: 'Closed by us', asked: true })
    const starting = this.#starting
    await this.#last?.close()
    await starting?.then((connection) => connection.close()).catch(() => {}) // it did not even start
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #again(call: Call): Promise<Connection> {
    if (this.#end !== undefined) throw gone(call.method, this.#end)
    if (this.#starting === undefined && this.#failures > 0) {
      const wait = Math.min(FIRST_PAUSE_MS * 2 ** (this.#failures - 1), LONGEST_PAUSE_MS)
      await pause(this.#clock, Math.max(0, this.#startedAt + wait - this.#clock.now()), call)
      if (this.#end !== undefined) throw gone(call.method, this.#end)
    }
    if (this.#live !== undefined) return this.#live
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined
    })
    return this.#starting
  }

  async #start(): Promise<Connection> {
    this.#startedAt = this.#clock.now()
    let connection: Connection
    try {
      connection = await this.#open(this.#last)
    } catch (error) {
      this.#failed(error instanceof Error ? error.message : String(error))
      throw error
    }
    this.#last = connection
    this.#live = connection
    void connection.closed.then(({ reason }) => {
      this.#live = undefined
      if (this.#clock.now() - this.#startedAt >= LONGEST_PAUSE_MS) this.#failures = 0
      this.#failed(reason)
    })
    return connection
  }

  #failed(reason: string): void {
    this.#failures++
    if (this.#failures > this.#maxFailures) {
      this.#finish({ reason: `Given up after ${this.#maxFailures} starts that failed: ${reason}`, asked: false })
    }
  }

  #finish(end: Closed): void {
    this.#end ??= end
    this.#setClosed(this.#end)
  }

  #known(): Connection {
    if (this.#last === undefined) throw new McpError('internal.error', 'Nothing is known of a server before it started')
    return this.#last
  }
}

function gone(method: string, { reason }: Closed): McpError {
  return new McpError('upstream.unavailable', `Cannot send "${method}", the server is gone: ${reason}`, {
    neverRan: true,
  })
}

const FIRST_PAUSE_MS = 500
/** Also how long a server must have lived to count as one that works. */
const LONGEST_PAUSE_MS = 60_000
