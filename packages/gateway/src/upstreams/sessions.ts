import { type Call, isAboutTasks, McpError, type Principal, type Result } from '@crosspoint/mcp'
import type { Connection } from '@crosspoint/mcp/client'
import type { SessionMode } from '../config/model.ts'
import type { PerCaller } from './access.ts'
import { type Caller, type Context, toContext } from './context.ts'
import type { Drain } from './drain.ts'
import type { EarlyQuestions } from './early-questions.ts'
import { answerGated, type GatedOptions } from './gated.ts'
import { attempt } from './never-ran.ts'
import { Pauses, type PausesOptions } from './pauses.ts'
import { makeRoom } from './room.ts'
import type { RootsNews } from './roots-news.ts'
import { unusable } from './sentences.ts'
import { type OpenSession, Session, type SessionSurvey, toOwner } from './session.ts'
import { OWN_ID, toHoldMs, toNamed, withSession } from './task-names.ts'

/** The gateway's own connection. */
export interface Own {
  /** Of calls that may go over it. */
  readonly key: string | undefined
  readonly connection: Connection
  readonly rootsNews?: RootsNews
  readonly early?: EarlyQuestions | undefined
  /** That began while it was the latest, and may be at work over it. */
  readonly calls: Drain
}

export interface SessionsOptions extends PausesOptions, GatedOptions {
  /** The latest there was. */
  readonly own: () => Own | undefined
  /** Why no session can be opened now; undefined while the gateway's own connection is there. */
  readonly absence: () => McpError | undefined
  /** Each is a process of its own, or several are with one server elsewhere. */
  readonly areProcesses: boolean
  readonly open: OpenSession
  /**
   * Learns what the server offers in a session that may last, where nobody tells callers apart: what one of several callers
   * brought into its session is none of the others' business.
   */
  readonly survey: (connection: Connection, key: string) => SessionSurvey
  readonly mode: Exclude<SessionMode, 'shared'>
  readonly perCaller?: PerCaller | undefined
  /** Most of them, and how long one stays that nobody uses, in milliseconds. */
  readonly bounds: () => { readonly max: number; readonly idleMs: number }
  /** One could not be opened, or was lost. */
  readonly failed: () => void
}

/**
 * Sessions with one server of a handshake revision, on behalf of callers: opened when a call needs one, shared by those
 * calls that may, closed when nobody has used one for a while. A server that cannot be reached is not tried again at once.
 * They are there whatever becomes of the gateway's own connection; without it none is opened.
 */
export class Sessions {
  readonly #options: SessionsOptions
  /** The oldest first, those included that are about to end. */
  readonly #all = new Set<Session>()
  /** Those that calls may come to, by key. */
  readonly #open = new Map<string, Session>()
  /** Those that had tasks, by their ids. */
  readonly #withTasks = new Map<string, Session>()
  readonly #closing = new Set<Promise<void>>()
  readonly #pauses: Pauses
  #isClosed = false
  #lost = 0
  #restarts = 0

  constructor(options: SessionsOptions) {
    this.#options = options
    this.#pauses = new Pauses(options)
  }

  get size(): number {
    return this.#all.size
  }

  /** Times one was opened again after one had been lost. */
  get restarts(): number {
    return this.#restarts
  }

  /** @throws {McpError} as the connection does; `policy.busy` where there are too many sessions */
  async handle(call: Call): Promise<Result> {
    if (isAboutTasks(call)) return this.#handleTask(call)
    const session = attempt(() => this.#toSession(call))
    return session === undefined ? this.#passOwn(call) : this.#pass(call, session, false)
  }

  /** Whether a call may find what it needs, while the gateway's own connection is away. */
  serves(call: Call): boolean {
    if (call.params.requestState !== undefined || TASK_METHODS.has(call.method)) return this.size > 0
    // That a process is well is known without asking it.
    const { key } = this.#toContext(call)
    return this.#options.areProcesses && key !== undefined && this.#open.get(key)?.isOpen === true
  }

  /** Whether a task is in one of them. */
  knows({ method, params }: Call): boolean {
    const named = TASK_METHODS.has(method) ? toNamed(params.taskId) : undefined
    return named !== undefined && this.#withTasks.has(named.session)
  }

  /** The gateway's own connection is there again: servers elsewhere may have forgotten all sessions meanwhile. */
  regained(): void {
    if (this.#options.areProcesses) return
    for (const session of this.#all) session.remind()
  }

  /** Another server is there: calls at work may finish and tasks be asked for, whatever is new begins anew. */
  renew(): void {
    for (const session of this.#all) this.#release(session)
  }

  /** A session of a caller has ended: nobody will come to what was kept for it. */
  callerEnded(downstream: string): void {
    for (const session of this.#all) if (session.downstream === downstream) this.#release(session)
  }

  /** A caller has other roots: told to the server in the session it has for the calls of this caller. */
  rootsChanged({ principal, downstream }: Caller): void {
    const own = this.#options.own()
    const { key } = this.#toContext({ principal, downstream, method: '' })
    if (key === undefined) return
    const news = key === own?.key ? own.rootsNews : this.#open.get(key)?.rootsNews
    news?.changed()
  }

  /** No new calls; those at work may finish within `graceMs`. Resolves when nothing is left. */
  async close(graceMs: number): Promise<void> {
    this.#isClosed = true
    for (const session of this.#all) this.#end(session, graceMs)
    while (this.#closing.size > 0) await Promise.all(this.#closing)
  }

  /** Calls at work may finish; new ones open sessions of their own. */
  credentialChanged(principal: Principal): void {
    const { owner } = toOwner({ principal })
    for (const session of this.#all) if (session.owner === owner) this.#release(session)
  }

  #toContext(call: Pick<Call, 'principal' | 'downstream' | 'method'>): Context {
    const { mode, perCaller } = this.#options
    return toContext(call, mode, perCaller?.credentialOf(call.principal))
  }

  async #passOwn(call: Call): Promise<Result> {
    const early = this.#options.own()?.early
    if (early !== undefined) await early.serve(call)
    return this.#toOwn().handle(call)
  }

  /** What a server knows of a task it may know in one session only: that is named in the id. */
  async #handleTask(call: Call): Promise<Result> {
    const named = toNamed(call.params.taskId)
    const native = named === undefined ? call : { ...call, params: { ...call.params, taskId: named.native } }
    // Where callers come with credentials of their own, none of them goes out with ours.
    const hasOwn = this.#options.own() !== undefined && this.#options.perCaller === undefined
    const isOwn = named?.session === OWN_ID && hasOwn
    const known = named === undefined || isOwn ? undefined : this.#withTasks.get(named.session)
    const session = isOwn ? undefined : (known ?? this.#toSession(call))
    if (session !== undefined) return this.#pass(native, session, true)
    return withSession(OWN_ID, native, await this.#toOwn().handle(native))
  }

  async #pass(call: Call, session: Session, isOfTask: boolean): Promise<Result> {
    session.enter()
    try {
      const answer = await session.handle(call)
      const result = isOfTask ? this.#hold(session, call, answer) : answer
      return result.isError === true ? ((await answerGated(session, call, this.#options)) ?? result) : result
    } catch (error) {
      const gated =
        error instanceof McpError && error.rpc !== undefined
          ? await answerGated(session, call, this.#options)
          : undefined
      if (gated === undefined) throw error
      return gated
    } finally {
      session.leave(this.#options.bounds().idleMs)
    }
  }

  /** Undefined for a call that goes over the gateway's own connection. */
  #toSession(call: Call): Session | undefined {
    const context = this.#toContext(call)
    const { key } = context
    if (key !== undefined && key === this.#options.own()?.key) return undefined
    return (key === undefined ? undefined : this.#open.get(key)) ?? this.#begin(call, context)
  }

  #toOwn(): Connection {
    const own = this.#options.own()
    if (own === undefined) throw unusable(this.#options.server)
    return own.connection
  }

  /** What a task asks comes over its session: that stays as long as somebody asks for the task. */
  #hold(session: Session, call: Call, answer: Result): Result {
    const result = withSession(session.id, call, answer)
    if (result === answer) return answer
    session.hold(toHoldMs(result))
    if (this.#all.has(session)) this.#withTasks.set(session.id, session)
    return result
  }

  #begin(call: Call, { key, session: downstream, capabilities }: Context): Session {
    const { server, clock, bounds, absence } = this.#options
    if (this.#isClosed) throw unusable(server)
    // Nobody would come to it, where the session of its caller has ended.
    if (call.cancellation.isCancelled) throw new McpError('caller.cancelled', `Cancelled "${call.method}"`)
    const error = absence()
    if (error !== undefined) throw error
    this.#pauses.check(capabilities)
    const owner = toOwner(call)
    for (const idle of makeRoom([...this.#all], owner, { server, max: bounds().max })) this.#end(idle, 0)
    const unused = (session: Session) => this.#end(session, 0)
    const session = new Session({ ...owner, server, key, downstream, capabilities, clock, unused })
    this.#all.add(session)
    if (key !== undefined) this.#open.set(key, session)
    session.begin(this.#connect(session, call))
    return session
  }

  async #connect(session: Session, call: Call): Promise<void> {
    const { open, survey, failed } = this.#options
    try {
      const connection = await session.connect(open, call)
      this.#pauses.opened(session.capabilities)
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
      // Of one caller's credential nothing follows for others.
      if (!session.isClosing && this.#options.perCaller?.isMissing(error) !== true) {
        this.#pauses.failed(session.capabilities, error)
        failed()
      }
      throw error
    }
  }

  #release(session: Session): void {
    this.#hide(session)
    session.release()
  }

  #end(session: Session, graceMs: number): void {
    this.#hide(session)
    session.retire()
    if (session.isIdle) this.#forget(session)
    const closed = session.end(graceMs).finally(() => {
      this.#forget(session)
      this.#closing.delete(closed)
    })
    this.#closing.add(closed)
  }

  /** No call finds it any more but by a task. */
  #hide(session: Session): void {
    if (session.key !== undefined && this.#open.get(session.key) === session) this.#open.delete(session.key)
  }

  #forget(session: Session): void {
    session.retire()
    this.#hide(session)
    this.#all.delete(session)
    this.#withTasks.delete(session.id)
  }
}

/** Their session is named in the id of the task. */
const TASK_METHODS: ReadonlySet<string> = new Set(['tasks/get', 'tasks/update', 'tasks/cancel'])
