import { McpError } from '../errors.ts'
import type { JsonObject, RpcError } from '../jsonrpc/frame.ts'
import { shown } from '../jsonrpc/shown.ts'
import type { CancelWatcher } from '../protocol/cancellation.ts'
import type { Outgoing } from '../protocol/envelope.ts'
import { METHODS } from '../protocol/methods.ts'
import type { Clock, Timer } from './clock.ts'
import type { Held } from './held.ts'
import { HOP } from './outgoing.ts'

/** How a request of ours was answered. What never got an answer rejects instead, with {@link McpError}. */
export type Answer =
  | { readonly kind: 'result'; readonly result: JsonObject }
  | ErrorAnswer
  /** HTTP only: a status whose body is no JSON-RPC message. */
  | Refusal

/** HTTP only: with what status an answer came that says no, and `Retry-After`, as it came. */
export interface Came {
  readonly status?: number
  readonly retryAfter?: string | undefined
}

interface ErrorAnswer extends Came {
  readonly kind: 'error'
  readonly error: RpcError
}

export interface Refusal {
  readonly kind: 'refused'
  readonly status: number
  /** The beginning of the body. */
  readonly text: string
  readonly location?: string
  /** `WWW-Authenticate`. */
  readonly challenge?: string
  /** `Retry-After` as it came. */
  readonly retryAfter?: string
}

/** A request of ours that waits for its answer. */
export interface Waiting {
  readonly id: number
  readonly outgoing: Outgoing
  readonly answer: Promise<Answer>
  /** Progress is asked for: somebody wants to hear of it, or it gives the request more time. */
  readonly asksProgress: boolean
  /** False once it was answered or given up. */
  open: boolean
  /** How many questions of the server, asked on behalf of this request, somebody is still thinking about. */
  questions: number
  /** Last progress value passed on; values that do not increase are dropped. */
  progress: number
  /** What carries this request alone, and can be let go of; none where all share one pipe. */
  carrier: { abort(): void } | undefined
}

export interface PendingOptions {
  readonly clock: Clock
  /** A request without a deadline of its own waits this long after it last heard anything; a function is asked for each. */
  readonly timeoutMs: number | (() => number)
  /**
   * However much it hears, it waits no longer than this; a function is asked for each. Default: an hour, or its timeout
   * where that is longer. Sooner or later a request must end, whatever the peer reports (2025-11-25 basic/lifecycle:
   * timeouts).
   */
  readonly maxMs?: number | (() => number) | undefined
  /** Most requests in flight. */
  readonly max: number
  /** A request was given up: tell the peer, let go of what carried it. */
  readonly abandon: (waiting: Waiting, reason: string) => void
}

/** Requests in flight by id. Ids are integers and are never used twice. */
export class Pending {
  readonly #options: PendingOptions
  readonly #entries = new Map<number, Held<Entry>>()
  #nextId = 1
  /** One timer for all: it rings for whoever is due first. */
  #timer: Timer | undefined
  #ringsAt = Number.POSITIVE_INFINITY

  constructor(options: PendingOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#entries.size
  }

  entries(): readonly Waiting[] {
    return this.#all()
  }

  get(id: unknown): Waiting | undefined {
    return typeof id === 'number' ? this.#entries.get(id)?.it : undefined
  }

  /**
   * Registers a request.
   * @param within how long to wait in place of the usual time; `Infinity` for one that stays open, such as a
   *   subscription
   * @throws {McpError} `policy.limit` when too many are in flight, `caller.cancelled` when nobody waits any more
   */
  open(outgoing: Outgoing, within?: number): Waiting {
    const { clock, max, timeoutMs: usual } = this.#options
    const { cancellation, deadline, interim } = outgoing
    if (cancellation.isCancelled) throw toCancelled(outgoing)
    if (this.#entries.size >= max) {
      throw new McpError('policy.limit', `Cannot send "${outgoing.method}": ${max} requests are already in flight`)
    }
    const timeoutMs = within ?? (typeof usual === 'function' ? usual() : usual)
    const maxMs = within === undefined ? this.#maxOf(outgoing, timeoutMs) : Math.max(within, HOUR_MS)
    const now = clock.now()
    let resolve: Entry['resolve'] = nothing
    let reject: Entry['reject'] = nothing
    const answer = new Promise<Answer>((onAnswer, onFailure) => {
      resolve = onAnswer
      reject = onFailure
    })
    const entry: Entry = {
      id: this.#nextId++,
      outgoing,
      answer,
      // The connection's own requests are short, and what stays open needs no more time.
      asksProgress:
        interim.progress || (deadline === undefined && interim !== HOP && timeoutMs !== Number.POSITIVE_INFINITY),
      open: true,
      questions: 0,
      progress: Number.NEGATIVE_INFINITY,
      carrier: undefined,
      pending: this,
      cancelled: giveUpCancelled,
      timeoutMs,
      maxMs,
      latest: deadline === undefined ? now + maxMs : Math.max(deadline, now + maxMs),
      dueAt: deadline ?? now + Math.min(timeoutMs, maxMs),
      resolve,
      reject,
    }
    this.#entries.set(entry.id, { it: entry })
    cancellation.watch(entry)
    if (entry.dueAt < this.#ringsAt) this.#ring(entry.dueAt)
    return entry
  }

  /** Gives a request its answer; false when nobody waits for that id any more. */
  settle(id: number, answer: Answer): boolean {
    const entry = this.#close(id)
    entry?.resolve(answer)
    return entry !== undefined
  }

  /** Ends one request without an answer. */
  fail(id: number, error: McpError): boolean {
    const entry = this.#close(id)
    entry?.reject(error)
    return entry !== undefined
  }

  /** Ends them all, and with them the timer. */
  failAll(error: (waiting: Waiting) => McpError): void {
    for (const entry of this.#all()) this.fail(entry.id, error(entry))
    this.#ring(Number.POSITIVE_INFINITY)
  }

  /** The peer showed that it works on this request: its time starts anew. */
  touch(waiting: Waiting): void {
    const entry = this.#entries.get(waiting.id)?.it
    if (entry !== undefined && entry.outgoing.deadline === undefined) {
      entry.dueAt = Math.min(this.#options.clock.now() + entry.timeoutMs, entry.latest)
    }
  }

  /** Somebody thinks, or has just thought, about a question of this request's: whatever its deadline, its time starts anew. */
  rest(waiting: Waiting): void {
    const entry = this.#entries.get(waiting.id)?.it
    if (entry === undefined) return
    const dueAt = Math.max(entry.dueAt, this.#options.clock.now() + entry.timeoutMs)
    entry.dueAt = Math.min(dueAt, entry.latest)
  }

  /** Nobody wants this answer any more: the caller is told why, the peer that it may stop. */
  giveUp(id: number, error: McpError, reason: string): void {
    const entry = this.#close(id)
    if (entry === undefined) return
    entry.reject(error)
    this.#options.abandon(entry, reason)
  }

  #close(id: number): Entry | undefined {
    const held = this.#entries.get(id)
    if (held?.it === undefined) return undefined
    const entry = held.it
    held.it = undefined
    this.#entries.delete(id)
    entry.open = false
    entry.outgoing.cancellation.unwatch(entry)
    return entry
  }

  #maxOf(outgoing: Outgoing, timeoutMs: number): number {
    const maxMs = outgoing.maxMs ?? this.#options.maxMs ?? Math.max(timeoutMs, HOUR_MS)
    return typeof maxMs === 'function' ? maxMs() : maxMs
  }

  #all(): readonly Entry[] {
    return [...this.#entries.values()].flatMap(({ it }) => it ?? [])
  }

  #ring(at: number): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#ringsAt = at
    if (at === Number.POSITIVE_INFINITY) return
    const { clock } = this.#options
    this.#timer = clock.setTimer(Math.max(0, at - clock.now()), () => this.#expire())
  }

  #expire(): void {
    const now = this.#options.clock.now()
    let next = Number.POSITIVE_INFINITY
    for (const entry of this.#all()) {
      // A person who is asked something may take longer than any server.
      if (entry.questions > 0) this.rest(entry)
      if (entry.dueAt <= now) this.giveUp(entry.id, timedOut(entry), 'timed out')
      else if (entry.dueAt < next) next = entry.dueAt
    }
    this.#ring(Math.max(next, now + FINEST_MS))
  }
}

interface Entry extends Waiting, CancelWatcher {
  readonly pending: Pending
  readonly timeoutMs: number
  readonly maxMs: number
  /** When it ends at the latest, whatever is heard of it. */
  readonly latest: number
  /** A deadline is the caller's and stands; a timeout is ours and starts anew with every sign of life. */
  dueAt: number
  resolve: (answer: Answer) => void
  reject: (error: unknown) => void
}

function timedOut({ outgoing: { method, deadline }, timeoutMs, maxMs, latest, dueAt }: Entry): McpError {
  const message = `Cannot wait longer for "${method}"`
  if (dueAt === latest && deadline === undefined && maxMs !== timeoutMs) {
    const most = `${maxMs / 1000} s are the most it may take ("maxRequestMs"), whatever progress it makes`
    return new McpError('upstream.timeout', `${message}: ${most}`)
  }
  const what = deadline === undefined ? `no answer for ${timeoutMs / 1000} s` : 'its deadline has passed'
  return new McpError('upstream.timeout', `${message}: ${what}`)
}

function giveUpCancelled(this: Entry): void {
  this.pending.giveUp(this.id, toCancelled(this.outgoing), 'cancelled')
}

/** The end of a call that nobody waits for any more, told with what it asked for: its tool, prompt or resource. */
export function toCancelled({ method, params, cancellation }: CancelledCall): McpError {
  const nameParam = METHODS.get(method)?.nameParam
  const name = nameParam === undefined ? undefined : params?.[nameParam]
  const whose = typeof name === 'string' ? ` of "${shown(name)}"` : ''
  return new McpError('caller.cancelled', `Cancelled "${method}"${whose}`, { cause: cancellation.reason })
}

type CancelledCall = Pick<Outgoing, 'method' | 'cancellation'> & Partial<Pick<Outgoing, 'params'>>

function nothing(): void {}

/** What a request may take at most where nobody says otherwise. */
const HOUR_MS = 60 * 60 * 1_000
/** Expiries are looked for no more often than this. */
const FINEST_MS = 5
