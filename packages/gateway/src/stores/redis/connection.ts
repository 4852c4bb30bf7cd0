import { createHash } from 'node:crypto'
import type { RedisOptions as ClientOptions, Redis } from 'ioredis'
import { type Log, SILENT } from '../../log.ts'
import { StoreError } from '../contract/store-error.ts'
import { parseAddress } from './address.ts'
import { isUnknownScript, toStoreError } from './faults.ts'
import { Subscriber } from './subscriber.ts'

export interface RedisOptions {
  /** `redis://user:password@host:port/database`, or `rediss://` for TLS. A secret. */
  readonly url: string
  /** Before every key and channel. Default `crosspoint:`. */
  readonly keyPrefix?: string
  /** Default: nothing is logged. */
  readonly log?: Log
  /** Longest attempt to connect. Default 5 s. */
  readonly connectTimeoutMs?: number
  /** Longest wait for a command, if it does not say another. Default 1 s. */
  readonly commandTimeoutMs?: number
}

export type RedisArgument = string | number | Buffer

export interface CommandOptions {
  /** Longest wait for this one, for Redis to come back included. Default: `commandTimeoutMs`. */
  readonly timeoutMs?: number
}

/**
 * Runs a script. Its `keys` are those that {@link RedisConnection.key} gives.
 * @throws {StoreError}
 */
export type RedisScript = (
  keys: readonly string[],
  args: readonly RedisArgument[],
  options?: CommandOptions,
) => Promise<unknown>

/**
 * A connection with Redis that comes back by itself. While it is away a command waits for it until its own deadline, or until
 * Redis has been away for `commandTimeoutMs`; from then on commands fail at once. What was sent when the connection was
 * lost fails too, and may have been done: nothing is sent twice.
 */
export interface RedisConnection {
  /** Whether commands are answered now, as far as is known. */
  readonly isReady: boolean
  /** The name of a key, with the prefix of this connection. */
  key(name: string): string
  /**
   * One command, its keys written by {@link key}.
   * @throws {StoreError} without addresses, passwords and arguments
   */
  call(command: string, args: readonly RedisArgument[], options?: CommandOptions): Promise<unknown>
  /** A script that is sent once, and known by its digest from then on. */
  defineScript(lua: string): RedisScript
  /**
   * To all that listen at this moment.
   * @throws {StoreError}
   */
  publish(channel: string, message: string): Promise<void>
  /**
   * Listens on a connection of its own, and again whenever that was lost.
   * @param listening is called whenever listening begins: what was said before then was not heard
   * @returns when it listens, or when it is known that Redis is away; with a way to stop
   */
  subscribe(channel: string, hear: (message: string) => void, listening?: () => void): Promise<() => void>
  /** Called whenever Redis has come, or come back. Returns a way to stop that. */
  onReady(tell: () => void): () => void
  /** Ends it; what is under way fails with `closed`. */
  close(): Promise<void>
}

/**
 * Opens a connection, and does not mind if Redis is away: it is looked for as long as this is open.
 * @throws {StoreError} `invalid` where the URL cannot be used
 */
export async function openRedis(options: RedisOptions): Promise<RedisConnection> {
  const base = toClientOptions(options)
  // Loaded where Redis is configured.
  const { Redis: Client } = await import('ioredis')
  const connection = new Connection(() => new Client(base), options)
  await connection.settled
  return connection
}

interface Waiting {
  go(): void
  fail(error: StoreError): void
}

class Connection implements RedisConnection {
  readonly settled: Promise<void>
  readonly #client: Redis
  readonly #subscriber: Subscriber
  readonly #prefix: string
  readonly #log: Log
  readonly #commandTimeoutMs: number
  readonly #onReady = new Set<() => void>()
  readonly #waiting = new Set<Waiting>()
  #state: 'opening' | 'ready' | 'away' | 'closed' = 'opening'
  #underWay = 0
  #patience: NodeJS.Timeout | undefined
  /** Why it is away. */
  #fault = toStoreError(undefined, USING)
  #isToldAway = false
  #hasBeenReady = false

  constructor(connect: () => Redis, options: RedisOptions) {
    const { keyPrefix = 'crosspoint:', log = SILENT, connectTimeoutMs = 5_000, commandTimeoutMs = 1_000 } = options
    this.#prefix = keyPrefix
    this.#log = log
    this.#commandTimeoutMs = commandTimeoutMs
    this.#client = connect()
    this.#subscriber = new Subscriber(connect, commandTimeoutMs, (error) =>
      log.warn({ reason: toStoreError(error, USING).message }, 'Redis does not let us listen'),
    )
    let settle: () => void = () => {}
    this.settled = new Promise((resolve) => {
      settle = resolve
    })
    this.#wait(connectTimeoutMs, settle)
    this.#client.on('ready', () => {
      this.#becomeReady()
      settle()
    })
    this.#client.on('error', (error) => {
      this.#fault = toStoreError(error, USING)
      // At the start nothing was there to be lost for a moment.
      if (this.#hasBeenReady) return
      this.#becomeAway()
      settle()
    })
    this.#client.on('close', () => {
      if (this.#state === 'ready') this.#wait(commandTimeoutMs, () => {})
    })
    void this.#client.connect().catch(() => {}) // it told by its events
  }

  get isReady(): boolean {
    return this.#state === 'ready'
  }

  key(name: string): string {
    return this.#prefix + name
  }

  call(command: string, args: readonly RedisArgument[], options: CommandOptions = {}): Promise<unknown> {
    return this.#do(() => this.#client.call(command, [...args]), options)
  }

  defineScript(lua: string): RedisScript {
    const digest = createHash('sha1').update(lua).digest('hex')
    return (keys, args, options = {}) =>
      this.#do(async () => {
        const rest = [keys.length, ...keys, ...args]
        try {
          return await this.#client.call('EVALSHA', [digest, ...rest])
        } catch (error) {
          // It was not run, so that it may be sent again.
          if (!isUnknownScript(error)) throw error
          return await this.#client.call('EVAL', [lua, ...rest])
        }
      }, options)
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.call('PUBLISH', [this.key(channel), message])
  }

  subscribe(channel: string, hear: (message: string) => void, listening?: () => void): Promise<() => void> {
    if (this.#state === 'closed') return Promise.reject(closed())
    return this.#subscriber.add(this.key(channel), { hear, listening })
  }

  onReady(tell: () => void): () => void {
    this.#onReady.add(tell)
    return () => void this.#onReady.delete(tell)
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    clearTimeout(this.#patience)
    this.#giveUp(closed())
    this.#onReady.clear()
    this.#subscriber.close()
    this.#client.disconnect()
  }

  #do<T>(action: () => Promise<T>, { timeoutMs = this.#commandTimeoutMs }: CommandOptions): Promise<T> {
    if (this.#state === 'closed') return Promise.reject(closed())
    if (this.#state === 'away') return Promise.reject(this.#fault)
    if (this.#underWay >= MAX_UNDER_WAY) return Promise.reject(new StoreError('unavailable', TOO_MANY))
    this.#underWay++
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#underWay--
      }
      const waiting: Waiting = {
        go: () => {
          void action().then(
            (result) => {
              leave()
              clearTimeout(timer)
              resolve(result)
            },
            (error: unknown) => {
              leave()
              clearTimeout(timer)
              reject(this.#state === 'closed' ? closed() : toStoreError(error, USING))
            },
          )
        },
        fail: (error) => {
          leave()
          clearTimeout(timer)
          reject(error)
        },
      }
      const timer = setTimeout(() => {
        // One that was sent holds its place until it is answered, or its connection is given up.
        if (this.#waiting.delete(waiting)) leave()
        reject(toStoreError(undefined, USING))
      }, timeoutMs)
      if (this.#state === 'ready') waiting.go()
      else this.#waiting.add(waiting)
    })
  }

  #wait(ms: number, overdue: () => void): void {
    this.#state = 'opening'
    this.#patience = setTimeout(() => {
      this.#becomeAway()
      overdue()
    }, ms)
  }

  #becomeReady(): void {
    if (this.#state === 'closed') return
    clearTimeout(this.#patience)
    this.#state = 'ready'
    this.#hasBeenReady = true
    if (this.#isToldAway) this.#log.info({}, 'Redis is back')
    this.#isToldAway = false
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const one of waiting) one.go()
    for (const tell of [...this.#onReady]) tell()
  }

  #becomeAway(): void {
    if (this.#state === 'closed') return
    clearTimeout(this.#patience)
    this.#state = 'away'
    if (!this.#isToldAway) this.#log.warn({ reason: this.#fault.message }, 'Redis is away')
    this.#isToldAway = true
    this.#giveUp(this.#fault)
  }

  #giveUp(error: StoreError): void {
    for (const waiting of this.#waiting) waiting.fail(error)
    this.#waiting.clear()
  }
}

function toClientOptions({
  url,
  connectTimeoutMs = 5_000,
  commandTimeoutMs = 1_000,
}: RedisOptions): Omit<ClientOptions, 'replyMapping'> {
  return {
    ...parseAddress(url),
    connectTimeout: connectTimeoutMs,
    // A server that owes answers and says nothing is one that is gone.
    socketTimeout: Math.max(2 * commandTimeoutMs, MIN_SILENCE_MS),
    lazyConnect: true,
    keepAlive: 10_000,
    // What every server and proxy speaks.
    protocol: 2,
    disableClientInfo: true,
    connectionName: 'crosspoint',
    // Nothing is sent twice, nothing waits in a queue without a bound: see `#do`.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    autoResubscribe: false,
    retryStrategy: (attempt) =>
      Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2),
    // After a failover the old primary is a replica: the name may lead to the new one.
    reconnectOnError: (error) => /^READONLY/.test(error.message),
  }
}

function closed(): StoreError {
  return new StoreError('closed', 'Cannot use Redis: the connection was closed')
}

const USING = 'Cannot use Redis'
const TOO_MANY = 'Cannot use Redis: too many commands wait for it'
/** Most commands that wait for Redis or its answer; what asks more is told to try again. */
const MAX_UNDER_WAY = 10_000
const MIN_SILENCE_MS = 500
const FIRST_DELAY_MS = 25
const MAX_DELAY_MS = 1_000
