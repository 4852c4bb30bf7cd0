import type { Clock, Timer } from '@crosspoint/mcp'

export interface Coalescer {
  /** Something happened: `fire` runs now or after the lead, or once at the end of the interval that is running. */
  trigger(): void
  /** Forgets what is pending; may be triggered again. */
  stop(): void
}

/**
 * Lets `fire` run at most once per interval, however often it is triggered, and never forgets the last trigger.
 * @param leadMs how long to wait with the first. Default: not at all
 */
export function coalesce(clock: Clock, intervalMs: number, fire: () => void, leadMs = 0): Coalescer {
  let timer: Timer | undefined
  let again = false
  const run = () => {
    again = false
    timer = clock.setTimer(intervalMs, () => {
      timer = undefined
      if (again) run()
    })
    fire()
  }
  return {
    trigger() {
      if (timer !== undefined) again = true
      else if (leadMs === 0) run()
      else timer = clock.setTimer(leadMs, run)
    },
    stop() {
      timer?.cancel()
      timer = undefined
      again = false
    },
  }
}
