import type { Clock } from '@crosspoint/mcp'

/** Resolves with an event, whichever way that goes, and after `maxMs` at the latest. */
export function within(clock: Clock, event: Promise<unknown>, maxMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(maxMs, resolve)
    const over = () => {
      timer.cancel()
      resolve()
    }
    event.then(over, over)
  })
}
