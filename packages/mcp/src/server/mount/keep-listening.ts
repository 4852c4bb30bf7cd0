import type { Clock, Timer } from '../../peer/clock.ts'
import { ANONYMOUS, type Call, type Handle, NO_INTERIM, type Notification } from '../../protocol/call.ts'
import { CancellationSource } from '../../protocol/cancellation.ts'
import type { ListenFilter } from '../../protocol/features/subscriptions.ts'
import { withTrail } from '../../protocol/trail.ts'
import { NEWEST } from '../../revisions/index.ts'
import { isLacking } from './list-all.ts'

export interface ListeningOptions {
  readonly handle: Handle
  readonly filter: ListenFilter
  readonly clock: Clock
  /** Of the server that listens. */
  readonly trail: readonly string[]
  /** On whose behalf. Default: nobody's. */
  readonly call?: Pick<Call, 'principal' | 'downstream'>
  /** What will be heard; nothing where the server cannot tell. Called again after each gap in which things were missed. */
  readonly acknowledged: (filter: ListenFilter) => void
  readonly heard: (notification: Notification) => void
}

export interface KeptListening {
  close(): void
}

/** Listens, and again after a pause whenever the server ended it, until it is closed. */
export function keepListening(options: ListeningOptions): KeptListening {
  const { handle, filter, clock, trail, acknowledged, heard } = options
  let failures = 0
  let isClosed = false
  let timer: Timer | undefined
  let cancellation: CancellationSource

  function listen(): void {
    cancellation = new CancellationSource()
    const notify = (notification: Notification) => {
      if (isClosed) return
      if (notification.method !== 'notifications/subscriptions/acknowledged') return heard(notification)
      failures = 0
      acknowledged((notification.params.notifications ?? {}) as ListenFilter) // open object of the server
    }
    handle({
      method: 'subscriptions/listen',
      params: { notifications: filter },
      meta: withTrail({}, trail),
      principal: options.call?.principal ?? ANONYMOUS,
      downstream: options.call?.downstream ?? OURSELVES,
      cancellation,
      deadline: undefined,
      trace: undefined,
      interim: { ...NO_INTERIM, notify },
    }).then(() => pause(), pause)
  }

  function pause(error?: unknown): void {
    if (isClosed) return
    acknowledgedNothing()
    if (isLacking(error)) return
    timer = clock.setTimer(Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** failures++), listen)
  }

  const acknowledgedNothing = () => acknowledged({})

  listen()
  return {
    close() {
      isClosed = true
      timer?.cancel()
      cancellation.cancel(undefined)
    },
  }
}

const OURSELVES = { revision: NEWEST.name, client: undefined, capabilities: {}, session: undefined }
const MIN_PAUSE_MS = 1_000
const MAX_PAUSE_MS = 60_000
