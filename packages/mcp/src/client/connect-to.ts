import { type Crossed, type Crossing, createCrossing } from '../bridge/crossing/crossing.ts'
import type { ParkingOptions } from '../bridge/parking/settings.ts'
import { type ErrorCode, McpError } from '../errors.ts'
import { systemClock } from '../peer/clock.ts'
import type { Handle } from '../protocol/call.ts'
import type { ClientCapabilities, Implementation } from '../protocol/capabilities.ts'
import { checkOptions, type OptionNames } from '../protocol/option-names.ts'
import { type ConnectTarget, checkTarget, toTarget } from './connect-target.ts'
import type { Connection, ConnectionOptions, Verdict } from './connection.ts'
import { openConnection } from './open.ts'
import { CONNECTION_OPTIONS } from './settings.ts'

/** Beside how to connect: how calls are kept whose callers answer a question of the server by another request. */
export interface ConnectToOptions extends ConnectionOptions, ParkingOptions {
  /** After a connection that failed, the next attempt waits this long, twice as long each time. Default 1 s. */
  readonly minRetryMs?: number
  /** But no longer than this. Default 30 s. */
  readonly maxRetryMs?: number
}

/** A server elsewhere, connected to when it is first needed, and again when the connection is gone. */
export interface Remote {
  /** What `server.mount` and doors take. */
  readonly endpoint: { readonly handle: Handle; readonly serverInfo: Implementation }
  /** One connection: every caller sees the same through it. */
  readonly shared: true
  close(): Promise<void>
  /** Closes it where a block with `await using` is left. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * A server elsewhere, to be mounted or served on. Nothing happens until the first call; while the server is away calls
 * fail at once, and it is tried again after a pause. Why it is away is the `cause` of the errors: callers are not told
 * addresses and commands.
 * @param target as `connect` takes it
 * @example
 * const github = connectTo('https://github.example/mcp')
 * server.mount('github', github)
 */
export function connectTo(target: ConnectTarget, options: ConnectToOptions = {}): Remote {
  checkTarget(target)
  checkOptions('connect', options, OPTION_NAMES)
  return new LazyRemote(target, options)
}

class LazyRemote implements Remote {
  readonly shared = true
  readonly endpoint: Remote['endpoint']
  readonly #target: ConnectTarget
  readonly #options: ConnectToOptions
  readonly #closing = new AbortController()
  readonly #crossing: Crossing
  #connection: Promise<Connection> | undefined
  /** The server of the moment, for callers of every revision. */
  #crossed: Crossed | undefined
  #verdict: Verdict | undefined
  #serverInfo: Implementation = UNKNOWN
  #failures = 0
  /** Until when nothing is tried, and why. */
  #pause: { readonly until: number; readonly error: unknown } | undefined

  constructor(target: ConnectTarget, options: ConnectToOptions) {
    this.#target = target
    this.#options = options
    this.#crossing = createCrossing(options)
    const info = () => this.#serverInfo
    const open = () => this.#toHandle()
    const closing = this.#closing.signal
    this.endpoint = {
      async handle(call) {
        try {
          return await (await open())(call)
        } catch (error) {
          throw closing.aborted ? closed() : toTold(error)
        }
      },
      get serverInfo() {
        return info()
      },
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#crossing.close()
    const connection = await this.#connection?.catch(() => undefined)
    await connection?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #toHandle(): Promise<Handle> {
    const { handle } = await this.#open()
    return this.#crossed?.handle ?? handle
  }

  #open(): Promise<Connection> {
    if (this.#closing.signal.aborted) return Promise.reject(closed())
    if (this.#connection !== undefined) return this.#connection
    const { clock = systemClock } = this.#options
    if (this.#pause !== undefined && clock.now() < this.#pause.until) return Promise.reject(this.#pause.error)
    const connection = this.#connect()
    this.#connection = connection
    connection.then(
      (open) => {
        this.#failures = 0
        this.#pause = undefined
        void open.closed.then(() => this.#forget(connection))
      },
      (error: unknown) => {
        const { minRetryMs = 1_000, maxRetryMs = 30_000 } = this.#options
        const pauseMs = Math.min(maxRetryMs, minRetryMs * 2 ** this.#failures++)
        this.#pause = { until: clock.now() + pauseMs, error }
        this.#forget(connection)
      },
    )
    return connection
  }

  async #connect(): Promise<Connection> {
    const { capabilities = RELAYED, stray } = this.#options
    const connection = await openConnection(toTarget(this.#target), {
      ...this.#options,
      capabilities,
      stray: (notification) => {
        this.#crossed?.hear(notification)
        stray?.(notification)
      },
      signal: this.#closing.signal,
      ...(this.#verdict === undefined ? {} : { verdict: this.#verdict }),
    })
    this.#verdict = connection.verdict
    this.#crossed = this.#crossing.over(connection.handle, connection.verdict.revision, 'remote')
    this.#serverInfo = connection.serverInfo ?? UNKNOWN
    return connection
  }

  #forget(connection: Promise<Connection>): void {
    if (this.#connection === connection) this.#connection = undefined
  }
}

/**
 * What went wrong on the way, for callers who are not to learn where that leads: addresses, paths and commands are in
 * the cause, which logs have and nobody else. What the server itself answered goes on as it is.
 */
function toTold(error: unknown): unknown {
  if (!(error instanceof McpError) || error.rpc !== undefined) return error
  const told = Object.hasOwn(TOLD, error.code) ? TOLD[error.code] : undefined
  return told === undefined ? error : new McpError(error.code, told, { cause: error })
}

function closed(): McpError {
  return new McpError('upstream.unavailable', 'Cannot reach the server: its connection was closed here')
}

const TOLD: Partial<Record<ErrorCode, string>> = {
  'upstream.unavailable': 'The server behind this one cannot be reached',
  'upstream.timeout': 'The server behind this one did not answer in time',
  'upstream.closed': 'The server behind this one was lost during the call, whose outcome is unknown',
  'upstream.unauthorized': 'The server behind this one does not let this one in',
  'upstream.protocol': 'The server behind this one gave an answer that cannot be read',
}
/** What a caller can be asked through us: of each call, what its caller declared. */
const RELAYED: ClientCapabilities = Object.freeze({
  sampling: { tools: {}, context: {} },
  elicitation: { form: {}, url: {} },
  roots: {},
})
const UNKNOWN: Implementation = Object.freeze({ name: 'remote', version: '0' })
const OPTION_NAMES: OptionNames<ConnectToOptions> = {
  ...CONNECTION_OPTIONS,
  minRetryMs: true,
  maxRetryMs: true,
  stateKey: true,
  stateTtlMs: true,
  maxStateBytes: true,
  maxParked: true,
  maxParkedPerPrincipal: true,
  maxParkedBytes: true,
  maxParkedBytesPerPrincipal: true,
}
