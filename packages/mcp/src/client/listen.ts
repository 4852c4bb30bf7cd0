import { toMissed } from '../bridge/standing-listen.ts'
import { McpError } from '../errors.ts'
import { isObject } from '../jsonrpc/members.ts'
import { AWAITED, type Clock, type Timer } from '../peer/clock.ts'
import { pause } from '../peer/until-cancelled.ts'
import { type Call, type Handle, type Interim, NO_INTERIM, type Notification } from '../protocol/call.ts'
import { cancellationOf } from '../protocol/cancellation.ts'
import type { ListenFilter } from '../protocol/features/subscriptions.ts'
import { WaitingChanges } from './waiting-changes.ts'

/**
 * Changes as they happen. Iterate once; what is not read yet is kept once however often it changes. A subscription
 * that breaks is opened again for as long as it is wanted, later each time, and what may have been missed meanwhile
 * is told as one change of each kind.
 */
export interface Subscription extends AsyncIterable<Notification> {
  /** What the server agreed to tell of at first. Rejects when it agreed to nothing and ended instead. */
  readonly acknowledged: Promise<ListenFilter>
  /** Resolves when nothing more comes, whatever the reason. Never rejects. */
  readonly ended: Promise<void>
  close(): void
}

export interface SubscriptionOptions {
  /** What is asked for. */
  readonly filter: ListenFilter
  readonly handle: Handle
  /** Makes the call whose interim is listened to, and which the signal ends. */
  readonly toCall: (interim: Interim, signal: AbortSignal) => Call
  readonly signal: AbortSignal | undefined
  readonly clock: Clock
  /** False once the connection is over for good. */
  readonly isReachable: () => boolean
  /** Hears every change before whoever iterates. */
  readonly heard: (notification: Notification) => void
}

export function listenTo(options: SubscriptionOptions): Subscription {
  const { signal } = options
  const ended = new AbortController()
  const close = () => ended.abort()
  if (signal?.aborted === true) close()
  signal?.addEventListener('abort', close, { once: true })
  const changes = new Changes(ended.signal, options)
  let acknowledge: (filter: ListenFilter) => void = () => {}
  let refuse: (error: unknown) => void = () => {}
  const acknowledged = new Promise<ListenFilter>((resolve, reject) => {
    acknowledge = resolve
    refuse = reject
  })
  acknowledged.catch(() => {}) // who only iterates learns of it there

  const tell = (notification: Notification) => {
    options.heard(notification)
    changes.add(notification)
  }
  const over = keepListening(options, ended.signal, tell, acknowledge)
    .then(
      () => changes.end(undefined),
      (error: unknown) => changes.end(ended.signal.aborted ? undefined : { error }),
    )
    .finally(() => {
      signal?.removeEventListener('abort', close)
      refuse(changes.failure?.error ?? new McpError('upstream.closed', 'The subscription is over'))
    })
  return {
    acknowledged,
    ended: over,
    close,
    async *[Symbol.asyncIterator]() {
      try {
        yield* changes.read()
      } finally {
        close()
      }
    },
  }
}

/** Listens until it is not wanted any more. Throws where the server does not let us, or is gone for good. */
async function keepListening(
  { handle, toCall, clock, isReachable }: SubscriptionOptions,
  ended: AbortSignal,
  tell: (notification: Notification) => void,
  acknowledge: (filter: ListenFilter) => void,
): Promise<void> {
  let wasThere = false
  let pauseMs = FIRST_PAUSE_MS
  for (;;) {
    const began = clock.now()
    const notify = (notification: Notification) => {
      if (ended.aborted) return
      if (notification.method !== 'notifications/subscriptions/acknowledged') {
        tell(notification)
        return
      }
      const { notifications } = notification.params
      const honoured: ListenFilter = isObject(notifications) ? notifications : {}
      if (wasThere) for (const missed of toMissed(honoured)) tell(missed)
      wasThere = true
      acknowledge(honoured)
    }
    try {
      await handle(toCall({ ...NO_INTERIM, notify }, ended))
    } catch (error) {
      if (!wasThere || !isPassing(error) || !isReachable()) throw error
    }
    if (ended.aborted || !wasThere) return
    // A server that ends it at once is not asked all the time.
    if (clock.now() - began > LONGEST_PAUSE_MS) pauseMs = FIRST_PAUSE_MS
    const call = { method: 'subscriptions/listen', cancellation: cancellationOf(ended) }
    await pause(clock, pauseMs, call, { keepsAlive: false }) // whoever iterates sees to that
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
  }
}

/** The server may be back: everything else it said about the request, and would say again. */
function isPassing(error: unknown): boolean {
  return error instanceof McpError && PASSING.has(error.code)
}

/** What was heard and not read yet. */
class Changes {
  failure: { readonly error: unknown } | undefined
  readonly #ended: AbortSignal
  readonly #clock: Clock
  readonly #waiting: WaitingChanges
  #isOver = false
  #wake = () => {}

  constructor(ended: AbortSignal, { filter, clock }: Pick<SubscriptionOptions, 'filter' | 'clock'>) {
    this.#ended = ended
    this.#clock = clock
    this.#waiting = new WaitingChanges(filter)
  }

  add(notification: Notification): void {
    this.#waiting.add(notification)
    this.#wake()
  }

  end(failure: { readonly error: unknown } | undefined): void {
    this.failure = failure
    this.#isOver = true
    this.#wake()
  }

  async *read(): AsyncGenerator<Notification, void> {
    for (;;) {
      yield* this.#waiting.take()
      if (this.failure !== undefined) throw this.failure.error
      if (this.#isOver || this.#ended.aborted) return
      const letGo = this.#keepAlive()
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        if (this.#isOver || this.#waiting.size > 0) resolve()
      }).finally(letGo)
    }
  }

  /** Whoever iterates wants the next change, even while there is no server: the process does not end meanwhile. */
  #keepAlive(): () => void {
    let timer: Timer
    const hold = () => {
      timer = this.#clock.setTimer(HOLD_MS, hold, AWAITED)
    }
    hold()
    return () => timer.cancel()
  }
}

const PASSING: ReadonlySet<string> = new Set(['upstream.unavailable', 'upstream.timeout', 'upstream.closed'])
/** How often whoever iterates keeps the process alive anew. */
const HOLD_MS = 60 * 60_000
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 30_000
