import {
  type Call,
  type Cancellation,
  type ClientCapabilities,
  type Clock,
  type Crossed,
  type Crossing,
  findRevision,
  type Handle,
  hasTasks,
  type Implementation,
  isTasksNeeded,
  McpError,
  type Notification,
  type Result,
  type Timer,
  toTaskWish,
} from '@crosspoint/mcp'
import type { Connection, ConnectionOptions, Target, Verdict } from '@crosspoint/mcp/client'
import type { ServerConfig } from '../config/model.ts'
import type { Log } from '../log.ts'
import { shown } from '../shown.ts'
import { RELAYED, toOwnKey } from './context.ts'
import { EarlyQuestions } from './early-questions.ts'
import { toLoss, toReason, toRemedy, toRetryAfter, toSignInRemedy } from './explain.ts'
import { type SessionSurvey, Sessions } from './sessions.ts'
import { advance, type UpstreamEvent, type UpstreamState } from './state.ts'
import { createStderrLog } from './stderr.ts'
import { toTarget } from './target.ts'
import { Turns } from './turns.ts'

export type Connect = (target: Target, options: ConnectionOptions) => Promise<Connection>

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

export interface UpstreamOptions {
  readonly config: ServerConfig
  /** Who we say we are. */
  readonly client: Implementation
  readonly limits: Pick<ConnectionOptions, 'limits' | 'probeTimeoutMs' | 'killGraceMs'>
  readonly connect: Connect
  /** Lets callers of every revision call it. */
  readonly crossing: Crossing
  /** What our own connection declares. */
  readonly declared: () => ClientCapabilities
  /** Of sessions on behalf of callers: how many, and how long one stays that nobody uses, in milliseconds. */
  readonly sessionBounds: () => { readonly max: number; readonly idleMs: number }
  readonly survey: (connection: Connection, report: SurveyReport) => Survey
  /** Learns what a session offers to callers whom nobody told apart. */
  readonly surveySession: (connection: Connection, key: string) => SessionSurvey
  /** Whether a tool is offered to us, and not in the session of that key. */
  readonly isGated: (key: string, tool: string) => boolean
  /** Whether the server says of a tool that it works only as a task. */
  readonly isTaskOnly: (tool: string) => boolean
  /** Told after every change of state. */
  readonly changed: () => void
  readonly log: Log
  readonly clock: Clock
  /** Milliseconds since 1970, for people. */
  readonly wallClock: () => number
  readonly random: () => number
  /** Environment of this process, of which stdio children inherit what their configuration allows. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly windows: boolean
}

/** One time that it is there: our own connection, and the calls at work. */
interface Link {
  /**
   * Of the gateway itself. Where the server keeps something for its client, no call of a caller goes over it but of one who
   * declares the same and is not told apart from others.
   */
  readonly connection: Connection
  /** On behalf of callers, where the server keeps something for its client. */
  readonly sessions: Sessions | undefined
  /** For callers of every revision. */
  readonly crossed: Crossed
  /** Some tools may work only as tasks. */
  readonly hasTasks: boolean
  survey: Survey | undefined
  inFlight: number
  idle: (() => void) | undefined
}

/**
 * One configured server, kept alive: connected, watched, brought back with growing waits when it is lost. Calls
 * while it is away are answered at once, with the reason.
 */
export class Upstream {
  readonly name: string
  /** For calls of callers. */
  readonly handle: Handle
  /** The same, made as tasks where the server makes any, and waited for. */
  readonly hold: Handle
  #config: ServerConfig
  readonly #options: UpstreamOptions
  readonly #stderr: (line: string) => void
  #state: UpstreamState = { kind: 'stopped' }
  #since: number
  #restarts = 0
  #wasUp = false
  /** What was last complained of, so that every attempt does not say it again. */
  #complaint: string | undefined
  #link: Link | undefined
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
    this.#stderr = createStderrLog(this.name, options.log, options.clock)
    this.handle = (call) => {
      const link = this.#link
      return link === undefined ? this.#absent(call) : this.#pass(call, link)
    }
    this.hold = (call) => {
      const link = this.#link
      return link === undefined ? this.#absent(call) : this.#pass(call, link, link.hasTasks)
    }
  }

  get config(): ServerConfig {
    return this.#config
  }

  /** Takes what a running server need not be restarted for. */
  retune(config: ServerConfig): void {
    this.#config = config
  }

  get state(): UpstreamState {
    return this.#state
  }

  get connection(): Connection | undefined {
    return this.#link?.connection
  }

  /** ISO 8601: since when it is in this state, or, through all attempts to bring it back, since when it is away. */
  get since(): string {
    return new Date(this.#since).toISOString()
  }

  /** Times it, or a session with it on behalf of callers, was connected again after it had been lost. */
  get restarts(): number {
    return this.#restarts + (this.#link?.sessions?.restarts ?? 0)
  }

  /** The revision spoken, or last spoken. */
  get revision(): string | undefined {
    return this.#verdict?.revision
  }

  get serverInfo(): Implementation | undefined {
    return this.#serverInfo
  }

  get remedy(): string | undefined {
    return toRemedy(this.#state, this.config)
  }

  /** Begins, or begins again after it was given up. */
  start(): void {
    if (!this.config.enabled) this.#become({ kind: 'disabled' })
    else this.#dispatch({ kind: 'start' })
  }

  /**
   * Stops for good: no new calls, those at work may finish within `graceMs`, then the connection is closed.
   * Resolves when nothing of it is left.
   */
  async stop(graceMs: number): Promise<void> {
    this.#dispatch({ kind: 'stop' })
    if (this.#link !== undefined) this.#release(this.#link, graceMs)
    await this.#opening
    while (this.#closing.size > 0) await Promise.all(this.#closing)
  }

  async #pass(call: Call, link: Link, isHeld = link.hasTasks && this.#mustBeHeld(call)): Promise<Result> {
    link.inFlight++
    try {
      return await (isHeld ? this.#hold(call, link) : link.crossed.handle(call))
    } catch (error) {
      return await (worksOnlyAsTask(call, link, error) ? this.#hold(call, link) : this.#failed(call, link, error))
    } finally {
      if (--link.inFlight === 0) link.idle?.()
    }
  }

  /** Known beforehand: some servers refuse such a call by a result, which could be of the tool. */
  #mustBeHeld({ method, params, downstream }: Call): boolean {
    if (method !== 'tools/call' || params.requestState !== undefined) return false
    return this.#options.isTaskOnly(String(params.name)) && toTaskWish(downstream.capabilities) === undefined
  }

  async #hold(call: Call, link: Link): Promise<Result> {
    try {
      return await link.crossed.hold(call)
    } catch (error) {
      return this.#failed(call, link, error)
    }
  }

  /** Nobody is there: a model gets words it can act on, everything else an error. */
  async #absent(call: Call): Promise<Result> {
    const sentence = this.#explainAbsence()
    if (call.method === 'tools/call') return toToolError(sentence)
    const { kind: state } = this.#state
    throw new McpError('upstream.unavailable', sentence, { data: { upstream: this.name, state, since: this.since } })
  }

  #failed(call: Call, link: Link, error: unknown): Result {
    if (call.cancellation.isCancelled) throw error
    if (error instanceof McpError && error.code === 'upstream.timeout') throw this.#toSilence(error)
    const loss = toLoss(error)
    const retryAfterMs = toRetryAfter(error)
    if (retryAfterMs !== undefined && call.method === 'tools/call') return toToolError(this.#explainBusy(retryAfterMs))
    if (loss === undefined) throw error
    // One failed call is a symptom; what the survey finds is the diagnosis.
    if (link === this.#link) link.survey?.check()
    if (call.method !== 'tools/call') throw error
    return toToolError(this.#explainFailure(loss, error))
  }

  #toSilence(cause: McpError): McpError {
    const { name } = this
    const sentence = `The server "${name}" did not answer in time: ${cause.message}. "requestTimeoutMs" of "${name}" sets how long it may take without progress, "maxRequestMs" how long in all`
    return new McpError('upstream.timeout', sentence, { data: { kind: 'upstream_timeout', upstream: name }, cause })
  }

  #explainFailure(loss: 'gone' | 'sign-in', error: unknown): string {
    const reason = toReason(error)
    if (loss === 'sign-in') {
      return `The server "${this.name}" refused the gateway's credentials: ${reason}. ${toSignInRemedy(this.config)}.`
    }
    if (error instanceof McpError && error.code === 'upstream.unavailable') {
      return `The server "${this.name}" could not be reached: ${reason}. Try again shortly.`
    }
    return `The connection to the server "${this.name}" was lost: ${reason}. The outcome of the call is unknown; check what it did before calling again.`
  }

  #explainBusy(retryAfterMs: number): string {
    return `The server "${this.name}" takes no more calls for now. Try again in ${Math.ceil(retryAfterMs / 1_000)} s.`
  }

  #explainAbsence(): string {
    const state = this.#state
    const reason = 'reason' in state && state.reason !== undefined ? `: ${state.reason}` : ''
    const remedy = this.remedy
    const what = state.kind === 'starting' ? 'is starting' : `is not available (${state.kind})`
    const next = state.kind === 'starting' ? ' Try again shortly.' : remedy === undefined ? '' : ` ${remedy}.`
    return `The server "${this.name}" ${what} since ${this.since}${reason}.${next}`
  }

  #dispatch(event: UpstreamEvent): void {
    const { clock, random } = this.#options
    const { transport, restart } = this.config
    const maxStillborn = transport.kind === 'stdio' ? MAX_STILLBORN : Number.POSITIVE_INFINITY
    this.#become(advance(this.#state, event, { now: clock.now(), restart, maxStillborn, random }))
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
    this.#tell(before)
    this.#options.changed()
  }

  /** Answers what the server asks outside of any call. */
  async #answerAlone(
    request: Notification,
    withdrawn: Cancellation | undefined,
    early: EarlyQuestions | undefined,
  ): Promise<Result> {
    const { roots } = this.config
    const { method } = request
    if (method === 'roots/list' && roots !== undefined) {
      early?.answered()
      return { roots: roots.map((uri) => ({ uri })) }
    }
    if (method !== 'roots/list' || early === undefined) throw noCaller(method)
    return early.ask(request, withdrawn)
  }

  /** What the server says outside of any call. */
  #hear(notification: Notification): void {
    const { method, params } = notification
    this.#link?.crossed.hear(notification)
    this.#options.log.debug({ upstream: this.name, method, params: shown(JSON.stringify(params)) }, 'Stray')
  }

  #tell(before: UpstreamState): void {
    const state = this.#state
    if (state.kind === before.kind && state.kind !== 'degraded') return
    const { log } = this.#options
    const reason = 'reason' in state ? state.reason : undefined
    const details = { upstream: this.name, state: state.kind, reason, remedy: this.remedy }
    if (state.kind === 'starting') log.debug(details, 'Upstream is starting')
    else if (reason === undefined) log.info(details, 'Upstream changed its state')
    else if (reason === this.#complaint) log.debug(details, 'Upstream is still in trouble')
    else log.warn(details, 'Upstream is in trouble')
    if (state.kind !== 'starting') this.#complaint = reason
  }

  /** Connects once; never rejects. */
  async #open(): Promise<void> {
    const attempt = new AbortController()
    this.#attempt = attempt
    const { signal } = attempt
    const remembered = this.#verdict
    const { declared, env, windows } = this.#options
    const early = this.#toOwnEarly()
    let connection: Connection
    try {
      const target = toTarget(this.config.transport, env, windows)
      connection = await this.#options.connect(target, {
        ...this.#toConnectionOptions(remembered, declared(), early),
        signal,
      })
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
    const link = this.#toLink(connection, early)
    // Some servers say nothing before they know their folders, and without lists nobody will call them.
    const timer =
      early &&
      this.#options.clock.setTimer(EARLY_MS, () => {
        if (this.#state.kind === 'starting') early.refuse(noCaller('roots/list'))
      })
    if (this.#wasUp) this.#restarts++
    this.#wasUp = true
    this.#link = link
    this.#verdict = connection.verdict
    this.#serverInfo = connection.serverInfo
    void connection.closed.then(({ reason, asked }) => {
      timer?.cancel()
      if (link === this.#link && !asked) this.#lose('gone', shown(reason, 500))
    })
    link.survey = this.#options.survey(connection, {
      surveyed: (problem) => {
        if (link === this.#link) this.#dispatch({ kind: 'surveyed', problem })
      },
      lost: (cause, reason) => {
        if (link === this.#link) this.#lose(cause, reason)
      },
    })
    this.#options.changed()
  }

  #toLink(connection: Connection, early: EarlyQuestions | undefined): Link {
    const { crossing, clock, random, sessionBounds, surveySession, isGated } = this.#options
    const { revision } = connection.verdict
    const { sessions: mode } = this.config
    const isShared = mode === 'shared' || findRevision(revision)?.traits.lifecycle !== 'handshake'
    const sessions = isShared
      ? undefined
      : new Sessions({
          server: this.name,
          own: { key: toOwnKey(this.#options.declared(), mode), connection, early },
          mode,
          open: (capabilities, signal, early) => this.#openSession(capabilities, signal, early),
          survey: surveySession,
          isGated,
          bounds: sessionBounds,
          restart: () => this.#config.restart,
          clock,
          random,
          failed: () => link.survey?.check(),
        })
    const handle: Handle =
      sessions === undefined ? new Turns(this.name).around(connection.handle) : (call) => sessions.handle(call)
    const crossed = crossing.over(handle, revision, this.name)
    const link: Link = {
      connection,
      sessions,
      crossed,
      hasTasks: hasTasks(connection.capabilities),
      survey: undefined,
      inFlight: 0,
      idle: undefined,
    }
    return link
  }

  #openSession(
    capabilities: ClientCapabilities,
    signal: AbortSignal,
    early: EarlyQuestions | undefined,
  ): Promise<Connection> {
    const target = toTarget(this.config.transport, this.#options.env, this.#options.windows)
    return this.#options.connect(target, { ...this.#toConnectionOptions(this.#verdict, capabilities, early), signal })
  }

  #lose(cause: 'gone' | 'sign-in', reason: string): void {
    if (this.#link !== undefined) this.#release(this.#link, this.config.requestTimeoutMs)
    this.#dispatch({ kind: 'lost', cause, reason })
  }

  /** Takes the link out of use; calls on it may finish. */
  #release(link: Link, graceMs: number): void {
    this.#link = undefined
    this.#restarts += link.sessions?.restarts ?? 0
    link.survey?.stop()
    const sessions = link.sessions?.close(graceMs)
    const closed = this.#settle(link, graceMs)
      .then(() => link.connection.close())
      .then(() => sessions)
      .catch((error: unknown) =>
        this.#options.log.error({ upstream: this.name, reason: toReason(error) }, 'Closing an upstream failed'),
      )
      .finally(() => this.#closing.delete(closed))
    this.#closing.add(closed)
  }

  #settle(link: Link, graceMs: number): Promise<void> {
    if (link.inFlight === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = this.#options.clock.setTimer(graceMs, resolve)
      link.idle = () => {
        timer.cancel()
        resolve()
      }
    })
  }

  #toConnectionOptions(
    verdict: Verdict | undefined,
    capabilities: ClientCapabilities,
    early: EarlyQuestions | undefined,
  ): ConnectionOptions {
    const { client, limits, log, clock } = this.#options
    const { revision, connectTimeoutMs } = this.config
    const upstream = this.name
    return {
      ...limits,
      client,
      capabilities,
      ask: (request, withdrawn) => this.#answerAlone(request, withdrawn, early),
      connectTimeoutMs,
      requestTimeoutMs: () => this.#config.requestTimeoutMs,
      maxRequestMs: () => this.#config.maxRequestMs,
      clock,
      ...(revision === undefined ? {} : { revision }),
      ...(verdict === undefined ? {} : { verdict }),
      stderr: this.#stderr,
      stray: (notification) => this.#hear(notification),
      fault: (reason, sample) =>
        log.debug({ upstream, reason: shown(reason), sample: shown(sample) }, 'Upstream sent something unreadable'),
    }
  }
}

/**
 * Whether a server refused a call for being none that may become a task, in the words of its era. Where caller and server
 * are of the era in which each request says whether it may, the refusal is for the caller to hear.
 */
function worksOnlyAsTask({ method, downstream }: Call, link: Link, error: unknown): boolean {
  if (method !== 'tools/call' || !(error instanceof McpError) || !link.hasTasks) return false
  if (toTaskWish(downstream.capabilities) !== undefined) return false
  if (areSaid(downstream.revision) && areSaid(link.connection.verdict.revision)) return false
  return isTasksNeeded(error.data) || error.rpc?.code === METHOD_NOT_FOUND
}

/** What nobody who calls is there to answer. */
function noCaller(method: string): McpError {
  const reason = 'no active client request'
  // The code is the one a refusal has in the examples of the specification (PROTOCOL §15.3).
  return new McpError('caller.unanswered', `Cannot answer "${method}": ${reason}`, { data: { code: -1, reason } })
}

function isAway({ kind }: UpstreamState): boolean {
  return kind === 'starting' || kind === 'backing-off' || kind === 'needs-sign-in' || kind === 'failed'
}

function toToolError(text: string): Result {
  return { content: [{ type: 'text', text }], isError: true }
}

/** A caller says with each request whether it may become a task. */
function areSaid(revision: string): boolean {
  return findRevision(revision)?.traits.tasks === 'extension'
}

const METHOD_NOT_FOUND = -32601
/** How long a server may take for its lists while it waits to learn in which folders it works. */
const EARLY_MS = 5_000
/** Starts of a stdio server in a row that came to nothing, after which it is given up: about six minutes by default. */
const MAX_STILLBORN = 12
