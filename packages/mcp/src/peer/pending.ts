import { McpError } from '../errors.ts'
import type { JsonObject, RpcError } from '../jsonrpc/frame.ts'
import type { Clock, Timer } from './clock.ts'
import type { Outgoing } from './outgoing.ts'

/** How a request of ours was answered. What never got an answer rejects instead, with {@link McpError}. */
export type Answer =
  | { readonly kind: 'result'; readonly result: JsonObject }
  | { readonly kind: 'error'; readonly error: RpcError; readonly status?: number }
  /** HTTP only: a status whose body is no JSON-RPC message. */
  | Refusal

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
  /** A request without a deadline of its own waits this long after it last heard anything. */
  readonly timeoutMs: number
  /** Most requests in flight. */
  readonly max: number
  /** A request was given up: tell the peer, let go of what carried it. */
  readonly abandon: (waiting: Waiting, reason: string) => void
}

interface Entry extends Waiting {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
  readonly abort: () => void
  readonly timeoutMs: number
  heardAt: number
  timer: Timer | undefined
}

/** Requests in flight by id. Ids are integers and are never used twice. */
export class Pending {
  readonly #options: PendingOptions
  readonly #entries = new Map<number, Entry>()
  #nextId = 1

  constructor(options: PendingOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#entries.size
  }

  entries(): Iterable<Waiting> {
    return this.#entries.values()
  }

  get(id: unknown): Waiting | undefined {
    return typeof id === 'number' ? this.#entries.get(id) : undefined
  }

  /**
   * Registers a request.
   * @param timeoutMs how long to wait; `Infinity` for one that stays open, such as a subscription
   * @throws {McpError} `policy.limit` when too many are in flight, `caller.cancelled` when nobody waits any more
   */
  open(outgoing: Outgoing, timeoutMs = this.#options.timeoutMs): Waiting {
    const { clock, max } = this.#options
    if (outgoing.signal.aborted) throw cancelled(outgoing)
    if (this.#entries.size >= max) {
      throw new McpError('policy.limit', `Cannot send "${outgoing.method}": ${max} requests are already in flight`)
    }
    let resolve: Entry['resolve'] = () => {}
    let reject: Entry['reject'] = () => {}
    const answer = new Promise<Answer>((onAnswer, onFailure) => {
      resolve = onAnswer
      reject = onFailure
    })
    const id = this.#nextId++
    const entry: Entry = {
      id,
      outgoing,
      answer,
      open: true,
      questions: 0,
      progress: Number.NEGATIVE_INFINITY,
      carrier: undefined,
      resolve,
      reject,
      abort: () => this.#abandon(entry, cancelled(outgoing), 'cancelled'),
      timeoutMs,
      heardAt: clock.now(),
      timer: undefined,
    }
    this.#entries.set(id, entry)
    outgoing.signal.addEventListener('abort', entry.abort, { once: true })
    const ms = outgoing.deadline === undefined ? timeoutMs : outgoing.deadline - entry.heardAt
    if (ms !== Number.POSITIVE_INFINITY) entry.timer = clock.setTimer(Math.max(0, ms), () => this.#expire(entry))
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

  failAll(error: (waiting: Waiting) => McpError): void {
    for (const entry of [...this.#entries.values()]) this.fail(entry.id, error(entry))
  }

  /** The peer showed that it works on this request: its time starts anew. */
  touch(waiting: Waiting): void {
    const entry = this.#entries.get(waiting.id)
    if (entry !== undefined) entry.heardAt = this.#options.clock.now()
  }

  #close(id: number): Entry | undefined {
    const entry = this.#entries.get(id)
    if (entry === undefined) return undefined
    this.#entries.delete(id)
    entry.open = false
    entry.timer?.cancel()
    entry.outgoing.signal.removeEventListener('abort', entry.abort)
    return entry
  }

  #expire(entry: Entry): void {
    const { clock } = this.#options
    const { method, deadline } = entry.outgoing
    const now = clock.now()
    if (deadline === undefined) {
      // A person who is asked something may take longer than any server.
      const left = entry.questions > 0 ? entry.timeoutMs : entry.heardAt + entry.timeoutMs - now
      if (left > 0) {
        entry.timer = clock.setTimer(left, () => this.#expire(entry))
        return
      }
    }
    const error = new McpError(
      'upstream.timeout',
      deadline === undefined
        ? `Cannot wait longer for "${method}": no answer for ${entry.timeoutMs / 1000} s`
        : `Cannot wait longer for "${method}": its deadline has passed`,
    )
    this.#abandon(entry, error, 'timed out')
  }

  #abandon(entry: Entry, error: McpError, reason: string): void {
    if (!this.fail(entry.id, error)) return
    this.#options.abandon(entry, reason)
  }
}

function cancelled(outgoing: Outgoing): McpError {
  return new McpError('caller.cancelled', `Cancelled "${outgoing.method}"`, { cause: outgoing.signal.reason })
}
