import {
  type Call,
  type ClientCapabilities,
  type Crossed,
  type Crossing,
  findRevision,
  type Handle,
  hasTasks,
  isTasksNeeded,
  McpError,
  type Notification,
  type Result,
  toTaskWish,
} from '@crosspoint/mcp'
import type { Connection } from '@crosspoint/mcp/client'
import type { SessionMode } from '../config/model.ts'
import { ANYBODY, type Caller, toOwnKey } from './context.ts'
import type { EarlyQuestions } from './early-questions.ts'
import { Sessions, type SessionsOptions } from './sessions.ts'
import { Turns } from './turns.ts'

export interface LinkOptions
  extends Pick<SessionsOptions, 'open' | 'isGated' | 'restart' | 'clock' | 'random' | 'failed'> {
  readonly server: string
  readonly mode: SessionMode
  /** What our own connection declares. */
  readonly declared: () => ClientCapabilities
  readonly early: EarlyQuestions | undefined
  readonly crossing: Crossing
  readonly surveySession: SessionsOptions['survey']
  readonly sessionBounds: SessionsOptions['bounds']
  /** Whether the server says of a tool that it works only as a task. */
  readonly isTaskOnly: (tool: string) => boolean
}

/** One time that a server is there: our own connection with it, sessions on behalf of callers, and the calls at work. */
export class Link {
  /**
   * Of the gateway itself. Where the server keeps something for its client, no call of a caller goes over it but of one who
   * declares the same and is not told apart from others.
   */
  readonly connection: Connection
  /** Learns what the server offers; set by whoever made the link, stopped with it. */
  survey: { check(): void; stop(): void } | undefined
  readonly #options: LinkOptions
  /** On behalf of callers, where the server keeps something for its client. */
  readonly #sessions: Sessions | undefined
  /** For callers of every revision. */
  readonly #crossed: Crossed
  /** Some tools may work only as tasks. */
  readonly #hasTasks: boolean
  #inFlight = 0
  #idle: (() => void) | undefined

  constructor(connection: Connection, options: LinkOptions) {
    this.connection = connection
    this.#options = options
    this.#hasTasks = hasTasks(connection.capabilities)
    const { server, crossing } = options
    const { revision } = connection.verdict
    const sessions = toSessions(connection, options)
    const handle: Handle =
      sessions === undefined ? new Turns(server).around(connection.handle) : (call) => sessions.handle(call)
    this.#sessions = sessions
    this.#crossed = crossing.over(handle, revision, server)
  }

  /** Times a session was connected again after one had been lost. */
  get restarts(): number {
    return this.#sessions?.restarts ?? 0
  }

  /** @param isHeld made as a task where the server makes any, and waited for */
  async pass(call: Call, isHeld: boolean): Promise<Result> {
    this.#inFlight++
    try {
      if (this.#hasTasks && (isHeld || this.#mustBeHeld(call))) return await this.#crossed.hold(call)
      return await this.#crossed.handle(call)
    } catch (error) {
      if (!this.#worksOnlyAsTask(call, error)) throw error
      return await this.#crossed.hold(call)
    } finally {
      if (--this.#inFlight === 0) this.#idle?.()
    }
  }

  /**
   * What the server says outside of any call.
   * @param caller whose session it came in. Absent: it came over our own connection
   */
  hear(notification: Notification, caller?: Caller): void {
    // Where callers have sessions of their own, only those whom nobody tells apart use ours.
    this.#crossed.hear(notification, caller ?? (this.#sessions && ANYBODY))
  }

  /** Calls at work may finish within `graceMs`; then nothing is left of it. */
  async close(graceMs: number): Promise<void> {
    this.survey?.stop()
    const sessions = this.#sessions?.close(graceMs)
    await this.#settle(graceMs)
    await this.connection.close()
    await sessions
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
  #worksOnlyAsTask({ method, params, downstream }: Call, error: unknown): boolean {
    if (method !== 'tools/call' || !(error instanceof McpError) || !this.#hasTasks) return false
    if (toTaskWish(downstream.capabilities) !== undefined) return false
    if (areSaid(downstream.revision) && areSaid(this.connection.verdict.revision)) return false
    // The code alone may be that of anything the tool did before it failed: nothing is done twice for it.
    return (
      isTasksNeeded(error.data) ||
      (error.rpc?.code === METHOD_NOT_FOUND && this.#options.isTaskOnly(String(params.name)))
    )
  }

  #settle(graceMs: number): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = this.#options.clock.setTimer(graceMs, resolve)
      this.#idle = () => {
        timer.cancel()
        resolve()
      }
    })
  }
}

function toSessions(connection: Connection, options: LinkOptions): Sessions | undefined {
  const { mode, server, declared, early, surveySession, sessionBounds } = options
  const { revision } = connection.verdict
  if (mode === 'shared' || findRevision(revision)?.traits.lifecycle !== 'handshake') return undefined
  const { open, isGated, restart, clock, random, failed } = options
  const own = { key: toOwnKey(declared(), mode), connection, early }
  return new Sessions({
    server,
    own,
    mode,
    open,
    survey: surveySession,
    isGated,
    bounds: sessionBounds,
    restart,
    clock,
    random,
    failed,
  })
}

/** A caller says with each request whether it may become a task. */
function areSaid(revision: string): boolean {
  return findRevision(revision)?.traits.tasks === 'extension'
}

const METHOD_NOT_FOUND = -32601
