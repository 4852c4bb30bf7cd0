import type { Call, Handle, Implementation, McpError, Principal, Result, Timer } from '@crosspoint/mcp'
import type { Connection, Verdict } from '@crosspoint/mcp/client'
import type { Peer } from '../catalog/catalog.ts'
import type { ServerConfig } from '../config/model.ts'
import { shown } from '../shown.ts'
import type { Access, AccessOf } from './access.ts'
import { answerAbsent, answerFailed, toAbsence } from './answers.ts'
import { Connector, type ConnectorOptions } from './connector.ts'
import { type Caller, RELAYED } from './context.ts'
import { EarlyQuestions } from './early-questions.ts'
import { toLoss, toReason, toRemedy } from './explain.ts'
import { Link, type LinkOptions } from './link.ts'
import { noCaller } from './sentences.ts'
import { advance, type UpstreamEvent, type UpstreamState } from './state.ts'
import { StateLog } from './state-log.ts'

/** Learns what a connected server offers, and goes on learning until stopped. */
export interface Survey {
  /** Something failed that may mean the server is gone: find out. */
  check(): void
  stop(): void
}

export interface SurveyReport {
  /** What is known now is all there is to know for the moment; `problem` says what is missing. */
  surveyed(problem: string | undefined): void
  lost(cause: 'gone' | 'sign-in', reason: string): void
}

export interface UpstreamOptions
  extends Omit<ConnectorOptions, 'config' | 'hear' | 'access'>,
    Pick<
      LinkOptions,
      'keeper' | 'crossing' | 'declared' | 'sessionBounds' | 'surveySession' | 'isGated' | 'isTaskOnly'
    > {
  readonly config: ServerConfig
  readonly accessOf: AccessOf
  readonly survey: (connection: Connection, report: SurveyReport) => Survey
  /** Told after every change of state. */
  readonly changed: () => void
  /** Milliseconds since 1970, for people. */
  readonly wallClock: () => number
  readonly random: () => number
}

/**
 * One configured server, kept alive: connected, watched, brought back with growing waits when it is lost. Calls
 * while it is away are answered at once, with what would help, but for those whose callers have sessions that are well.
 */
export class Upstream {
  readonly name: string
  /** For calls of callers. */
  readonly handle: Handle
  /** The same, made as tasks where the server makes any, and waited for. */
  readonly hold: Handle
  #config: ServerConfig
  readonly #options: UpstreamOptions
  readonly #connector: Connector
  readonly #access: Access
  readonly #log: StateLog
  #state: UpstreamState = { kind: 'stopped' }
  #since: number
  #restarts = 0
  #wasUp = false
  readonly #link: Link
  /** Learns what the server offers, as long as it is there. */
  #survey: Survey | undefined
  #verdict: Verdict | undefined
  #serverInfo: Implementation | undefined
  #timer: Timer | undefined
  /** The attempt under way, until it is given up. */
  #attempt: AbortController | undefined
  #opening: Promise<void> | undefined
  readonly #closing = new Set<Promise<void>>()

  constructor(options: UpstreamOptions) {
    this.#options = options
    this.#config = options.config
    this.name = options.config.name
    this.#since = options.wallClock()
    this.#log = new StateLog(this.name, options.log)
    this.#access = options.accessOf(() => this.#config)
    const { perCaller } = this.#access
    this.#connector = new Connector({
      ...options,
      access: this.#access,
      config: () => this.#config,
      hear: (said, caller) => this.#link.hear(said, caller),
    })
    this.#link = new Link({
      ...options,
      server: this.name,
      perCaller,
      mode: options.config.sessions,
      areProcesses: options.config.transport.kind === 'stdio',
      restart: () => this.#config.restart,
      absence: () => (this.connection === undefined ? this.#absence() : undefined),
      open: (capabilities, signal, early, caller) =>
        this.#connector.connect({ verdict: this.#verdict, capabilities, signal, early, caller }),
      failed: () => this.#survey?.check(),
    })
    const handle: Handle = (call) => this.#pass(call, false)
    const hold: Handle = (call) => this.#pass(call, true)
    this.handle = perCaller?.around(handle) ?? handle
    this.hold = perCaller?.around(hold) ?? hold
  }

  get config(): ServerConfig {
    return this.#config
  }

  /** Takes what a running server need not be restarted for. */
  retune(config: ServerConfig): void {
    this.#config = config
  }

  /** See {@link PerCaller.credentialOf}. */
  credentialOf(principal: Principal): string | undefined {
    return this.#access.perCaller?.credentialOf(principal)
  }

  get state(): UpstreamState {
    return this.#state
  }

  get connection(): Connection | undefined {
    return this.#link.connection
  }

  /** ISO 8601: since when it is in this state, or, through all attempts to bring it back, since when it is away. */
  get since(): string {
    return new Date(this.#since).toISOString()
  }

  /** Times it, or a session with it on behalf of callers, was connected again after it had been lost. */
  get restarts(): number {
    return this.#restarts + this.#link.restarts
  }

  /** The revision spoken, or last spoken. */
  get revision(): string | undefined {
    return this.#verdict?.revision
  }

  get serverInfo(): Implementation | undefined {
    return this.#serverInfo
  }

  /** Where it is, and what it speaks. */
  get peer(): Peer {
    return { ...toPlace(this.#config), revision: this.revision }
  }

  get remedy(): string | undefined {
    return toRemedy(this.#state, this.config)
  }

  /** Whether a call may find what it needs, were it sent now. */
  canTake(call: Call): boolean {
    return this.#link.canTake(call)
  }

  /** Something failed that may mean it is gone: finds out. */
  check(): void {
    this.#survey?.check()
  }

  /** Begins, or begins again after it was given up. */
  start(): void {
    if (!this.config.enabled) this.#become({ kind: 'disabled' })
    else this.#dispatch({ kind: 'start' })
  }

  /** A caller has other roots: told to the server where it has a session of this caller. */
  rootsChanged(caller: Caller): void {
    this.#link.rootsChanged(caller)
  }

  /**
   * Stops for good: no new calls, those at work may finish within `graceMs`, then the connection is closed.
   * Resolves when nothing of it is left.
   */
  async stop(graceMs: number): Promise<void> {
    this.#dispatch({ kind: 'stop' })
    this.#survey?.stop()
    this.#survey = undefined
    this.#track(this.#link.close(graceMs))
    await this.#opening
    while (this.#closing.size > 0) await Promise.all(this.#closing)
  }

  /**
   * Somebody signed in, or out.
   * @param principal whose credential it is; absent: the gateway's own
   */
  credentialChanged(principal: Principal | undefined): void {
    if (principal !== undefined) this.#link.credentialChanged(principal)
    else if (this.#state.kind === 'needs-sign-in') this.#dispatch({ kind: 'start' })
  }

  /** A session of a caller has ended. */
  callerEnded(downstream: string): void {
    this.#link.callerEnded(downstream)
  }

  async #pass(call: Call, isHeld: boolean): Promise<Result> {
    if (!this.#link.canTake(call)) return answerAbsent(call, this.#absence())
    const survey = this.#survey
    try {
      return await this.#link.pass(call, isHeld)
    } catch (error) {
      if (this.#access.perCaller?.isMissing(error) === true) throw error
      // One failed call is a symptom; what the survey finds is the diagnosis.
      return answerFailed(call, this.config, error, {
        suspect: () => {
          if (survey === this.#survey) survey?.check()
        },
        tell: (reason) => {
          const details = { upstream: this.name, method: call.method, reason }
          this.#options.log.warn(details, 'Call did not get through')
        },
      })
    }
  }

  #absence(): McpError {
    return toAbsence(this.config, this.#state, this.since)
  }

  #dispatch(event: UpstreamEvent): void {
    const { clock, random } = this.#options
    const { transport, restart, auth } = this.config
    // Somebody may sign in by another process, of which nobody tells.
    const soon = auth?.kind === 'oauth' ? { signInRetryMs: ACCOUNT_RETRY_MS } : {}
    const maxStillborn = transport.kind === 'stdio' ? MAX_STILLBORN : Number.POSITIVE_INFINITY
    this.#become(advance(this.#state, event, { now: clock.now(), restart, maxStillborn, random, ...soon }))
  }

  /** The only place where the state changes, and where what a state is made of begins and ends. */
  #become(state: UpstreamState): void {
    const before = this.#state
    if (state === before) return
    this.#state = state
    const stillAway = isAway(before) && isAway(state)
    if (state.kind !== before.kind && !stillAway) this.#since = this.#options.wallClock()
    this.#timer?.cancel()
    this.#timer = undefined
    if (state.kind === 'starting') this.#opening = this.#open()
    else if (state.kind === 'stopped') this.#attempt?.abort()
    else if ('delayMs' in state) {
      this.#timer = this.#options.clock.setTimer(state.delayMs, () => this.#dispatch({ kind: 'start' }))
    }
    this.#log.tell(before, state, this.remedy)
    this.#options.changed()
  }

  /** Connects once; never rejects. */
  async #open(): Promise<void> {
    const attempt = new AbortController()
    this.#attempt = attempt
    const { signal } = attempt
    const remembered = this.#verdict
    const early = this.#toOwnEarly()
    let connection: Connection
    try {
      const capabilities = this.#options.declared()
      connection = await this.#connector.connect({ verdict: remembered, capabilities, signal, early })
    } catch (error) {
      // A verdict that led nowhere is not trusted a second time.
      if (remembered !== undefined) this.#verdict = undefined
      if (!signal.aborted) this.#lose(toLoss(error) ?? 'gone', toReason(error))
      return
    }
    if (signal.aborted) return connection.close()
    this.#adopt(connection, early)
  }

  /** Only for a caller of our own connection whose folders they are. */
  #toOwnEarly(): EarlyQuestions | undefined {
    const { declared, clock } = this.#options
    return declared() === RELAYED || declared().roots === undefined ? undefined : new EarlyQuestions(clock)
  }

  #adopt(connection: Connection, early: EarlyQuestions | undefined): void {
    // Some servers say nothing before they know their folders, and without lists nobody will call them.
    const timer =
      early &&
      this.#options.clock.setTimer(EARLY_MS, () => {
        if (this.#state.kind === 'starting') early.refuse(noCaller('roots/list'))
      })
    if (this.#wasUp) this.#restarts++
    this.#wasUp = true
    this.#verdict = connection.verdict
    this.#serverInfo = connection.serverInfo
    this.#link.gain(connection, early)
    const isThis = () => connection === this.connection
    void connection.closed.then(({ reason, asked }) => {
      timer?.cancel()
      if (isThis() && !asked) this.#lose('gone', shown(reason, 500))
    })
    this.#survey = this.#options.survey(connection, {
      surveyed: (problem) => {
        if (isThis()) this.#dispatch({ kind: 'surveyed', problem })
      },
      lost: (cause, reason) => {
        if (isThis()) this.#lose(cause, reason)
      },
    })
    this.#options.changed()
  }

  #lose(cause: 'gone' | 'sign-in', reason: string): void {
    this.#survey?.stop()
    this.#survey = undefined
    // An attempt that came to nothing has no connection to lose.
    if (this.connection !== undefined) this.#track(this.#link.lose(this.config.requestTimeoutMs))
    this.#dispatch({ kind: 'lost', cause, reason })
  }

  #track(closing: Promise<void>): void {
    const closed = closing
      .catch((error: unknown) =>
        this.#options.log.error({ upstream: this.name, reason: toReason(error) }, 'Closing an upstream failed'),
      )
      .finally(() => this.#closing.delete(closed))
    this.#closing.add(closed)
  }
}

function toPlace({ transport }: ServerConfig): Omit<Peer, 'revision'> {
  if (transport.kind === 'stdio') return { network: 'pipe' }
  const { hostname, port, protocol } = new URL(transport.url)
  return { network: 'tcp', address: hostname, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) }
}

function isAway({ kind }: UpstreamState): boolean {
  return kind === 'starting' || kind === 'backing-off' || kind === 'needs-sign-in' || kind === 'failed'
}

/** How soon to look again whether there is an account to read the lists with. */
const ACCOUNT_RETRY_MS = 30_000
/** How long a server may take for its lists while it waits to learn in which folders it works. */
const EARLY_MS = 5_000
/** Starts of a stdio server in a row that came to nothing, after which it is given up: about six minutes by default. */
const MAX_STILLBORN = 12
