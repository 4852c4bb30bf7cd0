import type { Call } from '../protocol/call.ts'
import { AWAITED, type Clock, type TimerOptions } from './clock.ts'
import { toCancelled } from './pending.ts'

type Cancellable = Pick<Call, 'method' | 'cancellation'> & Partial<Pick<Call, 'params'>>

/**
 * What `promise` gives, or an end as soon as nobody waits for the call any more.
 * @throws {McpError} `caller.cancelled`
 */
export function unlessCancelled<T>(call: Cancellable, promise: Promise<T>): Promise<T> {
  const { cancellation } = call
  return new Promise((resolve, reject) => {
    const watcher = {
      cancelled: () => reject(toCancelled(call)),
    }
    if (cancellation.isCancelled) watcher.cancelled()
    else cancellation.watch(watcher)
    promise.then(resolve, reject).finally(() => cancellation.unwatch(watcher))
  })
}

/** Waits on the clock, for no longer than somebody waits for the call; by default the process does not end meanwhile. */
export async function pause(
  clock: Clock,
  ms: number,
  call: Cancellable,
  options: TimerOptions = AWAITED,
): Promise<void> {
  let end = () => {}
  const over = new Promise<void>((resolve) => {
    end = resolve
  })
  const timer = clock.setTimer(ms, end, options)
  try {
    await unlessCancelled(call, over)
  } finally {
    timer.cancel()
  }
}
