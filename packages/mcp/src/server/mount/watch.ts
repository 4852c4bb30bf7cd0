import type { Clock } from '../../peer/clock.ts'
import type { Call, Handle } from '../../protocol/call.ts'
import type { ListenFilter } from '../../protocol/features/subscriptions.ts'
import { keepListening } from './keep-listening.ts'
import { withoutTasks } from './own-call.ts'

/** Resources of a mounted server that are watched on behalf of a caller. */
export interface Watch {
  /** Those it will tell of. */
  readonly honoured: readonly string[]
  close(): void
}

export interface WatchOptions {
  readonly handle: Handle
  readonly clock: Clock
  /** Who watches. */
  readonly call: Call
  readonly trail: readonly string[]
  /** As the mounted server names them. */
  readonly uris: readonly string[]
  readonly tell: (uri: string) => void
}

/** Begins to watch: `end` stops it at any time, `ready` says what is watched once that is known. */
export function openWatch({ handle, clock, call, trail, uris, tell }: WatchOptions): {
  readonly ready: Promise<Watch>
  end(): void
} {
  let end = () => {}
  const ready = new Promise<Watch>((resolve) => {
    let honoured: ReadonlySet<string> | undefined
    const hear = (uri: unknown) => {
      if (typeof uri === 'string' && honoured?.has(uri)) tell(uri)
    }
    const settle = ({ resourceSubscriptions = [] }: ListenFilter) => {
      timer.cancel()
      if (honoured !== undefined) {
        for (const uri of resourceSubscriptions) hear(uri) // it may have changed in the gap
        return
      }
      honoured = new Set(resourceSubscriptions.filter((uri) => uris.includes(uri)))
      resolve({ honoured: [...honoured], close: () => end() })
    }
    const timer = clock.setTimer(ACK_MS, () => settle({}))
    const kept = keepListening({
      handle,
      filter: { resourceSubscriptions: uris },
      clock,
      trail,
      call: { principal: call.principal, downstream: withoutTasks(call.downstream) },
      acknowledged: settle,
      heard({ method, params }) {
        if (method === 'notifications/resources/updated') hear(params.uri)
      },
    })
    end = () => {
      kept.close()
      settle({})
    }
  })
  return { ready, end: () => end() }
}

const ACK_MS = 5_000
