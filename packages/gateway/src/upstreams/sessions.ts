import {
  ANONYMOUS,
  type Call,
  type ClientCapabilities,
  type Clock,
  isAboutTasks,
  isFinal,
  McpError,
  type Result,
  type Timer,
} from '@crosspoint/mcp'
import type { Connection } from '@crosspoint/mcp/client'
import type { RestartConfig, SessionMode } from '../config/model.ts'
import { shown } from '../shown.ts'
import { toContext } from './context.ts'
import { EarlyQuestions } from './early-questions.ts'
import { toDelay } from './state.ts'

/** Learns what a server offers in a session. */
export interface SessionSurvey {
  /** Resolves once it is known, or nobody will learn it any more. */
  readonly known: Promise<void>
  stop(): void
}

export interface SessionsOptions {
  readonly server: string
  /** The gateway's own connection, and the key of calls that may go over it. */
  readonly own?: {
    readonly key: string | undefined
    readonly connection: Connection
    readonly early?: EarlyQuestions | undefined
  }
  /** @param early takes what the server asks outside of calls */
  readonly open: (
    capabilities: ClientCapabilities,
    signal: AbortSignal,
    early: EarlyQuestions | undefined,
  ) => Promise<Connection>
  /**
   * Learns what the server offers in a session that may last, where nobody tells callers apart: what one of several callers
   * brought into its session is none of the others' business.
   */
  readonly survey: (connection: Connection, key: string) => SessionSurvey
  /** Whether the server offers a tool to us, and not in the session. */
  readonly isGated: (key: string, tool: string) => boolean
  readonly mode: Exclude<SessionMode, 'shared'>
  /** Most of them, and how long one stays that nobody uses, in milliseconds. */
  readonly bounds: () => { readonly max: number; readonly idleMs: number }
  /** Waits between attempts that came to nothing. */
  readonly restart: () => RestartConfig
  readonly clock: Clock
  readonly random: () => number
  /** One could not be opened, or was lost. */
  readonly failed: () => void
}

/** Until when nothing is tried, after so many failures in a row, and why. */
interface Pause {
  readonly failures: number
  readonly until: number
  readonly error: unknown
}

/** One session with the server, for calls that may share it. */
interface Session {
  readonly key: string | undefined
  /** Names it in the ids of its tasks. */
  readonly id: string
  /** Whose it is: callers of one tenant and id, and nobody else. */
  readonly owner: string
  /** Callers of it are not told apart. */
  readonly isOpenToAll: boolean
  readonly capabilities: ClientCapabilities
  readonly closing: AbortController
  opening: Promise<void>
  connection: Connection | undefined
  survey: SessionSurvey | undefined
  /** Where its callers have folders. */
  readonly early: EarlyQuestions | undefined
  /** Calls that are open with the server or wait for the session, those whose callers think included. */
  inFlight: number
  idle: Timer | undefined
  /** It is not closed before, since tasks of it may be at work: a point on the clock. */
  heldUntil: number
  /** Told when nothing is in flight any more. */
  drained: (() => void) | undefined
}

/**
 * Sessions with one server of a handshake revision, on behalf of callers: opened when a call needs one, shared by those
 * calls that may, closed when nobody has used one for a while. A server that cannot be reached is not tried again at once.
 */
export class Sessions {
  readonly #options: SessionsOptions
  readonly #open = new Map<string, Session>()
  readonly #alone = new Set<Session>()
  /** Those that had tasks, by their ids. */
  readonly #withTasks = new Map<string, Session>()
  readonly #closing = new Set<Promise<void>>()
  #isClosed = false
  #lost = 0
  #restarts = 0
  /** By what is declared: a server may refuse one set of abilities and take another. There are few of them. */
  readonly #pauses = new Map<ClientCapabilities, Pause>()

  constructor(options: SessionsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#open.size + this.#alone.size
  }

  /** Times one was opened again after one had been lost. */
  get restarts(): number {
    return this.#restarts
  }

  /** @throws {McpError} as the connection does; `policy.busy` where there are too many sessions */
  async handle(call: Call): Promise<Result> {
    if (isAboutTasks(call)) return this.#handleTask(call)
    const session = this.#toSession(call)
    return session === undefined ? this.#passOwn(call) : this.#pass(call, session, false)
  }

  async #passOwn(call: Call): Promise<Result> {
    const early = this.#options.own?.early
    if (early !== undefined) await early.serve(call)
    return this.#toOwn().handle(call)
  }

  /** What a server knows of a task it may know in one session only: that is named in the id. */
  async #handleTask(call: Call): Promise<Result> {
    const named = toNamed(call.params.taskId)
    const native = named === undefined ? call : { ...call, params: { ...call.params, taskId: named.native } }
    const isOwn = named?.session === OWN_ID && this.#options.own !== undefined
    const known = named === undefined || isOwn ? undefined : this.#withTasks.get(named.session)
    const session = isOwn ? undefined : (known ?? this.#toSession(call))
    if (session !== undefined) return this.#pass(native, session, true)
    return withSession(OWN_ID, native, await this.#toOwn().handle(native))
  }

  async #pass(call: Call, session: Session, isOfTask: boolean): Promise<Result> {
    this.#enter(session)
    try {
      if (session.connection === undefined) await session.opening
      if (session.connection === undefined) throw unusable(this.#options.server)
      if (session.early !== undefined) await session.early.serve(call)
      const answer = await session.connection.handle(call)
      const result = isOfTask ? this.#hold(session, call, answer) : answer
      return result.isError === true ? ((await this.#toGated(session, call)) ?? result) : result
    } catch (error) {
      const gated =
        error instanceof McpError && error.rpc !== undefined ? await this.#toGated(session, call) : undefined
      if (gated === undefined) throw error
      return gated
    } finally {
      this.#leave(session)
    }
  }

  /** What a model reads where a tool failed that the server offers to clients that declare more. */
  async #toGated(session: Session, { method, params: { name } }: Call): Promise<Result | undefined> {
    const { server, isGated } = this.#options
    const { key, capabilities, survey } = session
    if (method !== 'tools/call' || typeof name !== 'string' || key === undefined) return undefined
    // The first call is often faster than the lists.
    if (survey !== undefined) await this.#within(survey.known, KNOWN_MS)
    if (!isGated(key, name)) return undefined
    const declared = Object.keys(capabilities)
    const what = declared.length === 0 ? 'nothing of that' : `only ${declared.join(', ')}`
    const text = `The server "${server}" offers the tool "${shown(name)}" only to clients that it can ask something (elicitation, sampling or roots); this client declares ${what}.`
    return { content: [{ type: 'text', text }], isError: true }
  }

  #within(event: Promise<void>, maxMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.setTimer(maxMs, resolve)
      void event.then(resolve).finally(() => timer.cancel())
    })
  }

  /** Undefined for a call that goes over the gateway's own connection. */
  #toSession(call: Call): Session | undefined {
    const { own, mode } = this.#options
    const { key, capabilities } = toContext(call, mode)
    if (own !== undefined && key !== undefined && key === own.key) return undefined
    return (key === undefined ? undefined : this.#open.get(key)) ?? this.#begin(key, call, capabilities)
  }

  #toOwn(): Connection {
    const { own, server } = this.#options
    if (own === undefined) throw unusable(server)
    return own.connection
  }

  /** What a task asks comes over its session: that stays as long as somebody asks for the task. */
  #hold(session: Session, call: Call, answer: Result): Result {
    const result = withSession(session.id, call, answer)
    if (result === answer) return answer
    const { ttlMs, status } = result
    const longestMs = isFinal(status) ? FINAL_HOLD_MS : HOLD_MS
    const until = this.#options.clock.now() + (typeof ttlMs === 'number' ? Math.min(ttlMs, longestMs) : longestMs)
    // A session of one request has one task.
    session.heldUntil = session.key === undefined ? until : Math.max(session.heldUntil, until)
    this.#withTasks.set(session.id, session)
    return result
  }

  /** No new calls; those at work may finish within `graceMs`. Resolves when nothing is left. */
  async close(graceMs: number): Promise<void> {
    this.#isClosed = true
    for (const session of this.#all()) this.#end(session, graceMs)
    while (this.#closing.size > 0) await Promise.all(this.#closing)
  }

  #begin(key: string | undefined, call: Call, capabilities: ClientCapabilities): Session {
    const { principal } = call
    const { server, clock, bounds } = this.#options
    if (this.#isClosed) throw unusable(server)
    const pause = this.#pauses.get(capabilities)
    if (pause !== undefined && clock.now() < pause.until) throw pause.error
    const { max } = bounds()
    const isOpenToAll = principal.id === ANONYMOUS.id && principal.tenant === ANONYMOUS.tenant
    const owner = JSON.stringify([principal.tenant, principal.id])
    const share = Math.max(MIN_SHARE, Math.floor(max / SHARES))
    if (!isOpenToAll && this.#countOf(owner) >= share && !this.#makeRoom(owner)) {
      throw new McpError('policy.limit', `Cannot open another session with "${server}": this caller uses ${share}`)
    }
    if (this.size >= max && !this.#makeRoom()) {
      throw new McpError('policy.busy', `Cannot open another session with "${server}": ${this.size} are in use`)
    }
    const session: Session = {
      key,
      id: crypto.randomUUID().slice(0, ID_LENGTH),
      owner,
      isOpenToAll,
      capabilities,
      closing: new AbortController(),
      opening: Promise.resolve(),
      connection: undefined,
      survey: undefined,
      early: capabilities.roots === undefined ? undefined : new EarlyQuestions(clock),
      inFlight: 0,
      idle: undefined,
      heldUntil: 0,
      drained: undefined,
    }
    if (key === undefined) this.#alone.add(session)
    else this.#open.set(key, session)
    session.opening = this.#connect(session, capabilities, call)
    session.opening.catch(() => {}) // each call that waits for it hears of it
    return session
  }

  async #connect(session: Session, capabilities: ClientCapabilities, call: Call): Promise<void> {
    const { open, survey, failed } = this.#options
    try {
      const connection = await open(capabilities, session.closing.signal, session.early)
      await session.early?.arrive(connection, call)
      if (session.closing.signal.aborted) {
        await connection.close()
        throw unusable(this.#options.server)
      }
      this.#pauses.delete(capabilities)
      session.connection = connection
      if (this.#lost > 0) {
        this.#lost--
        this.#restarts++
      }
      if (session.isOpenToAll && session.key !== undefined) session.survey = survey(connection, session.key)
      void connection.closed.then(({ asked }) => {
        this.#forget(session)
        if (asked) return
        this.#lost++
        failed()
      })
    } catch (error) {
      this.#forget(session)
      if (!session.closing.signal.aborted) this.#failed(capabilities, error)
      throw error
    }
  }

  #failed(capabilities: ClientCapabilities, error: unknown): void {
    const { clock, restart, random, failed } = this.#options
    const failures = (this.#pauses.get(capabilities)?.failures ?? 0) + 1
    this.#pauses.set(capabilities, { failures, until: clock.now() + toDelay(failures, restart(), random), error })
    failed()
  }

  #enter(session: Session): void {
    session.inFlight++
    session.idle?.cancel()
    session.idle = undefined
  }

  #leave(session: Session): void {
    if (--session.inFlight > 0) return
    session.drained?.()
    const { clock, bounds } = this.#options
    const heldMs = Math.max(0, session.heldUntil - clock.now())
    const isAlone = session.key === undefined
    if (isAlone ? !this.#alone.has(session) : this.#open.get(session.key) !== session) return // it has ended
    const idleMs = isAlone ? heldMs : Math.max(heldMs, bounds().idleMs)
    if (idleMs === 0) this.#end(session, 0)
    else session.idle = clock.setTimer(idleMs, () => this.#end(session, 0))
  }

  #countOf(owner: string): number {
    let count = 0
    for (const session of this.#all()) if (session.owner === owner) count++
    return count
  }

  #all(): readonly Session[] {
    return [...this.#open.values(), ...this.#alone]
  }

  /** Ends an idle session, the oldest there is or the oldest of one caller; one that may have tasks at work only if need be. */
  #makeRoom(owner?: string): boolean {
    const now = this.#options.clock.now()
    const idle = this.#all().filter((session) => session.inFlight === 0 && (owner ?? session.owner) === session.owner)
    const session = idle.find(({ heldUntil }) => heldUntil <= now) ?? idle[0]
    if (session !== undefined) this.#end(session, 0)
    return session !== undefined
  }

  #forget(session: Session): void {
    session.survey?.stop()
    session.survey = undefined
    session.idle?.cancel()
    session.idle = undefined
    this.#alone.delete(session)
    this.#withTasks.delete(session.id)
    if (session.key !== undefined && this.#open.get(session.key) === session) this.#open.delete(session.key)
  }

  #end(session: Session, graceMs: number): void {
    this.#forget(session)
    const closed = this.#drain(session, graceMs)
      .then(() => session.closing.abort())
      .then(() => session.connection?.close())
      .catch(() => {}) // its end is what was wanted
      .finally(() => this.#closing.delete(closed))
    this.#closing.add(closed)
  }

  #drain(session: Session, graceMs: number): Promise<void> {
    if (session.inFlight === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = this.#options.clock.setTimer(graceMs, resolve)
      session.drained = () => {
        timer.cancel()
        resolve()
      }
    })
  }
}

/** A task with the session it is in named in its id; any other result as it is. */
function withSession(session: string, { method }: Call, result: Result): Result {
  if (method === 'tools/call' && result.resultType !== 'task') return result
  return typeof result.taskId === 'string' ? { ...result, taskId: `${session}.${result.taskId}` } : result
}

/** The session of a task, and what the server calls the task; undefined for what is no such id. */
function toNamed(taskId: unknown): { readonly session: string; readonly native: string } | undefined {
  if (typeof taskId !== 'string' || taskId[ID_LENGTH] !== '.') return undefined
  return { session: taskId.slice(0, ID_LENGTH), native: taskId.slice(ID_LENGTH + 1) }
}

/** How long a failed call waits to learn whether its tool is offered at all. */
const KNOWN_MS = 2_000
/** Of the sessions with one server a caller may have one of so many shares, and so many sessions at least. */
const SHARES = 4
const MIN_SHARE = 8
/** Digits of the id of a session. */
const ID_LENGTH = 8
/** Stands for the gateway's own connection. */
const OWN_ID = 'gateway-'
/** How long a session stays for a task that nobody asks for. */
const HOLD_MS = 3_600_000
/** The same for one whose outcome was fetched, which may be asked for again. */
const FINAL_HOLD_MS = 60_000

function unusable(server: string): McpError {
  return new McpError('upstream.unavailable', `The session with "${server}" is closed`)
}
