import { ANONYMOUS, type Call, type ClientCapabilities, type Clock, type Result, type Timer } from '@crosspoint/mcp'
import type { Connection } from '@crosspoint/mcp/client'
import type { Caller } from './context.ts'
import { Drain } from './drain.ts'
import { EarlyQuestions } from './early-questions.ts'
import { failNeverRan } from './never-ran.ts'
import { remind } from './remind.ts'
import { RootsNews } from './roots-news.ts'
import { unusable } from './sentences.ts'
import { toSessionId } from './task-names.ts'

/** Learns what a server offers in a session. */
export interface SessionSurvey {
  /** Resolves once it is known, or nobody will learn it any more. */
  readonly known: Promise<void>
  stop(): void
}

/**
 * @param early takes what the server asks outside of calls
 * @param caller whose session it is: what the server says in it is for no other
 */
export type OpenSession = (
  capabilities: ClientCapabilities,
  signal: AbortSignal,
  early: EarlyQuestions | undefined,
  caller: Caller,
) => Promise<Connection>

/** Whose a session is: callers of one tenant and id, and nobody else. */
export interface Owner {
  readonly owner: string
  /** Callers are not told apart. */
  readonly isOpenToAll: boolean
}

export interface SessionOptions extends Owner {
  readonly server: string
  readonly key: string | undefined
  /** That of the caller, whose end is the end of what is kept for it; undefined where several may share. */
  readonly downstream: string | undefined
  readonly capabilities: ClientCapabilities
  readonly clock: Clock
  /** Nobody has used it for a while. */
  readonly unused: (session: Session) => void
}

/** The life of one session with a server, for calls that may share it. */
export class Session implements Owner {
  /** The same for calls that may share it; undefined for the session of one call. */
  readonly key: string | undefined
  /** Names it in the ids of its tasks. */
  readonly id = toSessionId()
  readonly owner: string
  readonly isOpenToAll: boolean
  readonly downstream: string | undefined
  readonly capabilities: ClientCapabilities
  survey: SessionSurvey | undefined
  readonly rootsNews = new RootsNews()
  readonly #options: SessionOptions
  /** Where its callers have folders. */
  readonly #early: EarlyQuestions | undefined
  readonly #closing = new AbortController()
  #opening: Promise<unknown> = Promise.resolve()
  #connection: Connection | undefined
  /** For whom it was opened. */
  #caller: Caller | undefined
  #reminding: Promise<void> | undefined
  /** Calls that are open with the server or wait for the session, those whose callers think included. */
  readonly #calls: Drain
  #idle: Timer | undefined
  /** It is not closed before, since tasks of it may be at work: a point on the clock. */
  #heldUntil = 0
  /** Nobody new will come. */
  #isReleased = false
  #isOver = false

  constructor(options: SessionOptions) {
    this.key = options.key
    this.owner = options.owner
    this.isOpenToAll = options.isOpenToAll
    this.downstream = options.downstream
    this.capabilities = options.capabilities
    this.#calls = new Drain(options.clock)
    this.#options = options
    this.#early = options.capabilities.roots === undefined ? undefined : new EarlyQuestions(options.clock)
  }

  get isIdle(): boolean {
    return this.#calls.isIdle
  }

  /** Tasks of it may be at work. */
  get isHeld(): boolean {
    return this.#heldUntil > this.#options.clock.now()
  }

  /** Its end was wanted, whatever became of it. */
  get isClosing(): boolean {
    return this.#closing.signal.aborted
  }

  /** @param made what opens it; each call that waits for it hears what became of that */
  begin(made: Promise<unknown>): void {
    this.#opening = made
    made.catch(() => {})
  }

  /** It is connected, and was not lost. */
  get isOpen(): boolean {
    return this.#connection !== undefined && !this.#isOver
  }

  async connect(open: OpenSession, call: Call): Promise<Connection> {
    const { principal, downstream } = call
    const caller: Caller = { principal, downstream }
    const connection = await open(this.capabilities, this.#closing.signal, this.#early, caller)
    await this.#early?.arrive(connection, call)
    if (this.isClosing) {
      await connection.close()
      throw unusable(this.#options.server)
    }
    this.#connection = connection
    this.#caller = caller
    this.rootsNews.connected(connection)
    return connection
  }

  /** A call uses it, until it leaves. */
  enter(): void {
    this.#calls.enter()
    this.#idle?.cancel()
    this.#idle = undefined
  }

  /** @param idleMs how long it stays that nobody uses */
  leave(idleMs: number): void {
    this.#calls.leave()
    if (this.isIdle && !this.#isOver) this.#rest(this.#isReleased ? 0 : idleMs)
  }

  /** The server may have forgotten it meanwhile: makes sure that it is known, and lets calls wait for that. */
  remind(): void {
    if (this.#connection === undefined || this.#caller === undefined) return
    this.#reminding = remind(this.#connection, this.#caller, this.#options.clock).finally(() => {
      this.#reminding = undefined
    })
  }

  async handle(call: Call): Promise<Result> {
    if (this.#connection === undefined) await this.#opening.catch(failNeverRan)
    if (this.#reminding !== undefined) await this.#reminding
    if (this.#connection === undefined) throw unusable(this.#options.server)
    if (this.#early !== undefined) await this.#early.serve(call)
    return this.#connection.handle(call)
  }

  /** A task of it may be at work for as long. */
  hold(ms: number): void {
    const until = this.#options.clock.now() + ms
    // A session of one request has one task.
    this.#heldUntil = this.key === undefined ? until : Math.max(this.#heldUntil, until)
  }

  /** Nobody new will come: it stays for the calls that use it, and for tasks that may be at work. */
  release(): void {
    this.#isReleased = true
    this.#unlist()
    if (!this.isIdle || this.#isOver) return
    this.#idle?.cancel()
    this.#rest(0)
  }

  /** It is over, but for the calls that use it. */
  retire(): void {
    this.#isOver = true
    this.#unlist()
    this.#idle?.cancel()
    this.#idle = undefined
  }

  /** Calls at work may finish within `graceMs`; then it is closed. Never rejects: its end is what was wanted. */
  async end(graceMs: number): Promise<void> {
    await this.#calls.within(graceMs)
    this.#closing.abort()
    await this.#connection?.close().catch(() => {})
  }

  /** What it offers is in no list any more. */
  #unlist(): void {
    this.survey?.stop()
    this.survey = undefined
  }

  #rest(idleMs: number): void {
    const { clock, unused } = this.#options
    const heldMs = Math.max(0, this.#heldUntil - clock.now())
    const restMs = this.key === undefined ? heldMs : Math.max(heldMs, idleMs)
    if (restMs === 0) unused(this)
    else this.#idle = clock.setTimer(restMs, () => unused(this))
  }
}

export function toOwner({ principal }: Pick<Call, 'principal'>): Owner {
  const { id, tenant } = principal
  const isOpenToAll = id === ANONYMOUS.id && tenant === ANONYMOUS.tenant
  return { owner: JSON.stringify([tenant, id]), isOpenToAll }
}
