import { isRetryable, McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import type { Timer } from '../peer/clock.ts'
import type { Caller } from '../peer/open-call.ts'
import type { Served } from '../peer/served.ts'
import type { Call, Notification } from '../protocol/call.ts'
import { CancellationSource } from '../protocol/cancellation.ts'
import type { ListenFilter } from '../protocol/features/subscriptions.ts'

/**
 * A `subscriptions/listen` that an older session keeps on the handle for as long as it lives. When the other end
 * drops it, it is opened again, later each time, and what may have been missed meanwhile is told as a change.
 */
export class StandingListen {
  readonly #served: Served
  readonly #caller: Caller
  readonly #filter: ListenFilter
  readonly #tell: (notification: Notification) => void
  readonly #cancellation = new CancellationSource()
  /** Who opened it, until it is acknowledged. */
  #opening: Opening | undefined
  #retry: Timer | undefined
  #pauseMs = FIRST_PAUSE_MS

  constructor(served: Served, caller: Caller, filter: ListenFilter, tell: (notification: Notification) => void) {
    this.#served = served
    this.#caller = caller
    this.#filter = filter
    this.#tell = tell
  }

  /**
   * Resolves with what will be heard once that is acknowledged.
   * @throws {McpError} what the handle threw, or `upstream.closed` where it ended without acknowledging
   */
  open(): Promise<ListenFilter> {
    return new Promise((resolve, reject) => {
      this.#opening = { resolve, reject }
      this.#listen()
    })
  }

  /** As one that was dropped, by a process that is gone: nobody waits for it. */
  again(): void {
    this.#listen()
  }

  close(): void {
    this.#cancellation.cancel(new McpError('caller.cancelled', 'Nobody listens any more'))
    this.#retry?.cancel()
    this.#retry = undefined
  }

  /** Every session has one of these for as long as it lives: what is pending with it is one promise. */
  #listen(): void {
    try {
      this.#served.handle(this.#toCall()).then(
        () => this.#ended(),
        (error: unknown) => this.#failed(error),
      )
    } catch (error) {
      this.#failed(error)
    }
  }

  #ended(): void {
    const unheard = new McpError('upstream.closed', 'Cannot listen: it ended before it was acknowledged')
    if (!this.#refuse(unheard) && !this.#cancellation.isCancelled) this.#reopenLater()
  }

  #failed(error: unknown): void {
    if (this.#refuse(error) || this.#cancellation.isCancelled) return
    this.#served.log('warn', 'listen.dropped', { error })
    if (error instanceof McpError && !isRetryable(error) && !error.code.startsWith('upstream.')) return
    this.#reopenLater()
  }

  /** Tells who opened it, where it was never acknowledged. */
  #refuse(error: unknown): boolean {
    const opening = this.#opening
    this.#opening = undefined
    opening?.reject(error)
    return opening !== undefined
  }

  #reopenLater(): void {
    this.#retry = this.#served.clock.setTimer(this.#pauseMs, () => this.#listen())
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS)
  }

  #hear(notification: Notification): void {
    if (this.#cancellation.isCancelled) return
    if (notification.method === 'notifications/subscriptions/acknowledged') {
      this.#acknowledged(toFilter(notification.params.notifications))
    } else this.#tell(notification)
  }

  #acknowledged(honoured: ListenFilter): void {
    const opening = this.#opening
    this.#opening = undefined
    if (opening !== undefined) {
      opening.resolve(honoured)
      return
    }
    this.#pauseMs = FIRST_PAUSE_MS
    for (const notification of toMissed(honoured)) this.#tell(notification)
  }

  #toCall(): Call {
    return {
      method: 'subscriptions/listen',
      params: { notifications: this.#filter },
      meta: NO_META,
      principal: this.#caller.principal,
      downstream: this.#caller.downstream,
      cancellation: this.#cancellation,
      deadline: undefined,
      trace: undefined,
      interim: {
        progress: false,
        canAsk: false,
        logLevel: undefined,
        notify: (notification) => this.#hear(notification),
        ask: refuseToAsk,
      },
    }
  }
}

interface Opening {
  readonly resolve: (honoured: ListenFilter) => void
  readonly reject: (error: unknown) => void
}

function refuseToAsk(): Promise<never> {
  return Promise.reject(new McpError('caller.missing_capability', 'Cannot ask a listener'))
}

function toFilter(value: unknown): ListenFilter {
  return typeof value === 'object' && value !== null ? (value as JsonObject) : {}
}

/** Changes of everything a listener asked about, for one that may have missed some. */
export function toMissed(honoured: ListenFilter): Notification[] {
  const missed: Notification[] = []
  for (const [kind, method] of LIST_CHANGES) if (honoured[kind] === true) missed.push({ method, params: {} })
  for (const uri of honoured.resourceSubscriptions ?? []) {
    missed.push({ method: 'notifications/resources/updated', params: { uri } })
  }
  return missed
}

/** A listener who asked about every list. */
export const ALL_LISTS: ListenFilter = Object.freeze({
  toolsListChanged: true,
  promptsListChanged: true,
  resourcesListChanged: true,
})
const LIST_CHANGES = [
  ['toolsListChanged', 'notifications/tools/list_changed'],
  ['promptsListChanged', 'notifications/prompts/list_changed'],
  ['resourcesListChanged', 'notifications/resources/list_changed'],
] as const
const NO_META = Object.freeze({})
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 60_000
