import {
  type Call,
  type ClientCapabilities,
  type Crossed,
  type Crossing,
  findRevision,
  type Handle,
  hasTasks,
  type Implementation,
  isTasksNeeded,
  McpError,
  type Notification,
  type Principal,
  type Result,
  toTaskWish,
} from '@crosspoint/mcp'
import type { Connection } from '@crosspoint/mcp/client'
import type { SessionMode } from '../config/model.ts'
import type { PerCaller } from './access.ts'
import { ANYBODY, type Caller, toOwnKey } from './context.ts'
import { Drain } from './drain.ts'
import type { EarlyQuestions } from './early-questions.ts'
import { RootsNews } from './roots-news.ts'
import { unusable } from './sentences.ts'
import { type Own, Sessions, type SessionsOptions } from './sessions.ts'
import { Turns } from './turns.ts'

export interface LinkOptions
  extends Pick<
    SessionsOptions,
    'server' | 'absence' | 'areProcesses' | 'open' | 'isGated' | 'restart' | 'clock' | 'random' | 'failed'
  > {
  readonly mode: SessionMode
  /** Where each caller comes with a credential of its own: then no call goes over our own connection. */
  readonly perCaller?: PerCaller | undefined
  /** What it is called in what callers carry: tasks, and states of calls that wait. Default: the name of the server. */
  readonly keeper?: string | undefined
  /** What our own connection declares. */
  readonly declared: () => ClientCapabilities
  readonly crossing: Crossing
  readonly surveySession: SessionsOptions['survey']
  readonly sessionBounds: SessionsOptions['bounds']
  /** Whether the server says of a tool that it works only as a task. */
  readonly isTaskOnly: (tool: string) => boolean
}

/** What callers are given as long as one and the same server comes back. */
interface Era {
  readonly revision: string
  readonly serverInfo: Implementation | undefined
  /** Calls go over sessions on behalf of callers, since the server keeps something for its client. */
  readonly isWithSessions: boolean
  /** Some tools may work only as tasks. */
  readonly hasTasks: boolean
  /** For callers of every revision. */
  readonly crossed: Crossed
}

/**
 * A server as callers reach it, through all times that it is lost and found again: our own connection with it, sessions on
 * behalf of callers, and the calls at work. What callers have in a session is theirs until that itself is lost.
 */
export class Link {
  readonly #options: LinkOptions
  /**
   * Of the gateway itself, the latest. Where the server keeps something for its client, no call of a caller goes over it but
   * of one who declares the same and is not told apart from others.
   */
  #own: Own | undefined
  #isUp = false
  #era: Era | undefined
  /** There once a server was met that keeps something for its client. */
  #sessions: Sessions | undefined
  /** Our own ones, the lost included, as long as calls may be at work over them. */
  readonly #owns = new Set<Own>()

  constructor(options: LinkOptions) {
    this.#options = options
  }

  /** Our own; undefined while the server is away. */
  get connection(): Connection | undefined {
    return this.#isUp ? this.#own?.connection : undefined
  }

  /** Times a session was connected again after one had been lost. */
  get restarts(): number {
    return this.#sessions?.restarts ?? 0
  }

  /** Takes our own connection with the server into use. */
  gain(connection: Connection, early: EarlyQuestions | undefined): void {
    const { declared, mode, clock, perCaller } = this.#options
    const key = perCaller === undefined ? toOwnKey(declared(), mode) : undefined
    this.#own = { key, connection, early, rootsNews: new RootsNews(connection), calls: new Drain(clock) }
    this.#isUp = true
    this.#owns.add(this.#own)
    const before = this.#era
    const era = this.#toEra(connection, before)
    this.#era = era
    if (before === undefined) return
    if (isSame(before, era)) this.#sessions?.regained()
    else this.#sessions?.renew()
  }

  /** Takes our own connection out of use; calls over it may finish within `graceMs`. Resolves when it is closed. */
  async lose(graceMs: number): Promise<void> {
    this.#isUp = false
    if (this.#own !== undefined) await this.#end(this.#own, graceMs)
  }

  /** A caller has another credential, or none any more: what it had with the one before ends. */
  credentialChanged(principal: Principal): void {
    this.#sessions?.credentialChanged(principal)
  }

  /** A session of a caller has ended. */
  callerEnded(downstream: string): void {
    this.#sessions?.callerEnded(downstream)
  }

  /** Whether a call may find what it needs: while the server is away, that is a session which outlived the loss. */
  canTake(call: Call): boolean {
    return this.#isUp || this.#sessions?.serves(call) === true
  }

  /**
   * @param isHeld made as a task where the server makes any, and waited for
   * @throws {McpError} `upstream.unavailable` for a server that was never there
   */
  async pass(call: Call, isHeld: boolean): Promise<Result> {
    const [era, own] = [this.#era, this.#own]
    if (era === undefined || own === undefined) throw unusable(this.#options.server)
    const { crossed, hasTasks } = era
    own.calls.enter()
    try {
      if (hasTasks && (isHeld || this.#mustBeHeld(call))) return await crossed.hold(call)
      return await crossed.handle(call)
    } catch (error) {
      if (!this.#worksOnlyAsTask(call, era, error)) throw error
      return await crossed.hold(call)
    } finally {
      own.calls.leave()
    }
  }

  /**
   * What the server says outside of any call.
   * @param caller whose session it came in. Absent: it came over our own connection
   */
  hear(notification: Notification, caller?: Caller): void {
    // Where callers have sessions of their own, only those whom nobody tells apart use ours.
    this.#era?.crossed.hear(notification, caller ?? (this.#era.isWithSessions ? ANYBODY : undefined))
  }

  /** A caller has other roots: told to the server where it has a session of this caller. */
  rootsChanged(caller: Caller): void {
    this.#sessions?.rootsChanged(caller)
  }

  /** Calls at work may finish within `graceMs`; then nothing is left of it. */
  async close(graceMs: number): Promise<void> {
    this.#isUp = false
    await Promise.all([this.#sessions?.close(graceMs), ...[...this.#owns].map((own) => this.#end(own, graceMs))])
  }

  /** Known beforehand: some servers refuse such a call by a result, which could be of the tool. */
  #mustBeHeld({ method, params, downstream }: Call): boolean {
    if (method !== 'tools/call' || params.requestState !== undefined) return false
    return this.#options.isTaskOnly(String(params.name)) && toTaskWish(downstream.capabilities) === undefined
  }

  /**
   * Whether a server refused a call for being none that may become a task, in the words of its era. Where caller and server
   * are of the era in which each request says whether it may, the refusal is for the caller to hear.
   */
  #worksOnlyAsTask({ method, params, downstream }: Call, era: Era, error: unknown): boolean {
    if (method !== 'tools/call' || !(error instanceof McpError) || !era.hasTasks) return false
    if (toTaskWish(downstream.capabilities) !== undefined) return false
    if (areSaid(downstream.revision) && areSaid(era.revision)) return false
    // The code alone may be that of anything the tool did before it failed: nothing is done twice for it.
    return (
      isTasksNeeded(error.data) ||
      (error.rpc?.code === METHOD_NOT_FOUND && this.#options.isTaskOnly(String(params.name)))
    )
  }

  async #end(own: Own, graceMs: number): Promise<void> {
    await own.calls.within(graceMs)
    this.#owns.delete(own)
    await own.connection.close()
  }

  #toEra(connection: Connection, before: Era | undefined): Era {
    const { verdict, serverInfo, capabilities } = connection
    const { revision } = verdict
    const { mode, crossing, server, perCaller, keeper = server } = this.#options
    const isHandshake = findRevision(revision)?.traits.lifecycle === 'handshake'
    const isWithSessions = mode !== 'shared' && (isHandshake || perCaller !== undefined)
    const known = { revision, serverInfo, isWithSessions, hasTasks: hasTasks(capabilities) }
    // What it has promised to calls that wait here is kept.
    if (isWithSessions && before?.revision === revision) return { ...known, crossed: before.crossed }
    const handle = isWithSessions ? this.#overSessions(mode) : this.#overOwn(connection)
    return { ...known, crossed: crossing.over(handle, revision, keeper) }
  }

  #overOwn(connection: Connection): Handle {
    const sessions = this.#sessions
    const handle = new Turns(this.#options.server).around(connection.handle)
    // It was of a revision with sessions before, and tasks may be at work in them.
    return sessions === undefined ? handle : (call) => (sessions.knows(call) ? sessions.handle(call) : handle(call))
  }

  #overSessions(mode: SessionsOptions['mode']): Handle {
    const { surveySession: survey, sessionBounds: bounds } = this.#options
    this.#sessions ??= new Sessions({ ...this.#options, mode, survey, bounds, own: () => this.#own })
    const sessions = this.#sessions
    return (call) => sessions.handle(call)
  }
}

/** What came back is what was lost, as far as it says. */
function isSame(before: Era, { revision, serverInfo }: Era): boolean {
  const { name, version } = before.serverInfo ?? {}
  return before.revision === revision && name === serverInfo?.name && version === serverInfo?.version
}

/** A caller says with each request whether it may become a task. */
function areSaid(revision: string): boolean {
  return findRevision(revision)?.traits.tasks === 'extension'
}

const METHOD_NOT_FOUND = -32601
