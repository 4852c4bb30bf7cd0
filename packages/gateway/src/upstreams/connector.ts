import type { Cancellation, ClientCapabilities, Clock, Implementation, Notification, Result } from '@crosspoint/mcp'
import type { Connection, ConnectionOptions, Target, Verdict } from '@crosspoint/mcp/client'
import type { ServerConfig } from '../config/model.ts'
import type { Log } from '../log.ts'
import { shown } from '../shown.ts'
import type { Access } from './access.ts'
import type { Caller } from './context.ts'
import type { EarlyQuestions } from './early-questions.ts'
import { noCaller } from './sentences.ts'
import { createStderrLog } from './stderr.ts'

export type Connect = (target: Target, options: ConnectionOptions) => Promise<Connection>

export interface ConnectorOptions {
  readonly config: () => ServerConfig
  /** Who we say we are. */
  readonly client: Implementation
  readonly limits: Pick<ConnectionOptions, 'limits' | 'maxSockets' | 'probeTimeoutMs' | 'killGraceMs'>
  readonly connect: Connect
  /** Told what was left out of its lists. */
  readonly warn: (warnings: readonly string[]) => void
  readonly log: Log
  readonly clock: Clock
  readonly access: Access
  /** Told what the server says outside of any call. */
  readonly hear: (notification: Notification, caller: Caller | undefined) => void
}

export interface Attempt {
  /** What is known of the server already. */
  readonly verdict: Verdict | undefined
  /** What is declared to it. */
  readonly capabilities: ClientCapabilities
  readonly signal: AbortSignal
  /** Takes what it asks outside of calls. */
  readonly early: EarlyQuestions | undefined
  /** For whom; absent for the gateway's own connection. */
  readonly caller?: Caller
}

/** Connects to one configured server, as often as it is needed. */
export class Connector {
  readonly #options: ConnectorOptions
  readonly #stderr: (line: string) => void

  constructor(options: ConnectorOptions) {
    this.#options = options
    this.#stderr = createStderrLog(options.config().name, options.log, options.clock)
  }

  /** @throws as `openConnection` does, and for a target that cannot be */
  async connect({ verdict, capabilities, signal, early, caller }: Attempt): Promise<Connection> {
    const { config, client, limits, connect, clock, access, warn } = this.#options
    const { name, revision, connectTimeoutMs } = config()
    return connect(await access.target(caller), {
      ...limits,
      name,
      client,
      capabilities,
      signal,
      ask: (request, withdrawn) => this.#answerAlone(request, withdrawn, early),
      connectTimeoutMs,
      requestTimeoutMs: () => config().requestTimeoutMs,
      maxRequestMs: () => config().maxRequestMs,
      clock,
      ...(revision === undefined ? {} : { revision }),
      ...(verdict === undefined ? {} : { verdict }),
      stderr: this.#stderr,
      stray: (notification) => this.#hear(notification, caller),
      leftOut: (reason) => warn([reason]),
      fault: (reason, sample) => this.#complain(reason, sample),
    })
  }

  /** Answers what the server asks outside of any call. */
  async #answerAlone(
    request: Notification,
    withdrawn: Cancellation | undefined,
    early: EarlyQuestions | undefined,
  ): Promise<Result> {
    const { roots } = this.#options.config()
    const { method } = request
    if (method === 'roots/list' && roots !== undefined) {
      early?.answered()
      return { roots: roots.map((uri) => ({ uri })) }
    }
    if (method !== 'roots/list' || early === undefined) throw noCaller(method)
    return early.ask(request, withdrawn)
  }

  #hear(notification: Notification, caller: Caller | undefined): void {
    const { config, hear, log } = this.#options
    const { method, params } = notification
    hear(notification, caller)
    log.debug({ upstream: config().name, method, params: shown(JSON.stringify(params)) }, 'Stray')
  }

  #complain(reason: string, sample: string): void {
    const { config, log } = this.#options
    const details = { upstream: config().name, reason: shown(reason), sample: shown(sample) }
    log.debug(details, 'Upstream sent something unreadable')
  }
}
