import { readdirSync, readFileSync } from 'node:fs'
import { type Clock, systemClock } from '@crosspoint/mcp'

/** What a process holds on to, in numbers that must come back to where they were. */
export interface Footprint {
  /** Processes whose parent we are. */
  readonly children: number
  /** Open file descriptors: sockets and pipes among them. */
  readonly descriptors: number
  /** Timers of the clock the gateway was given that are neither fired nor cancelled. */
  readonly timers: number
  /** Sockets, pipes and servers that Node itself counts as active. */
  readonly handles: number
}

export interface CountingClock extends Clock {
  readonly live: number
}

/** The system's clock, which counts the timers it owes. */
export function createCountingClock(): CountingClock {
  let live = 0
  return {
    now: () => systemClock.now(),
    wallNow: () => systemClock.wallNow(),
    setTimer(ms, fire, options) {
      let owed = true
      live++
      const settle = () => {
        if (owed) live--
        owed = false
      }
      const timer = systemClock.setTimer(
        ms,
        () => {
          settle()
          fire()
        },
        options,
      )
      return {
        cancel() {
          settle()
          timer.cancel()
        },
      }
    },
    get live() {
      return live
    },
  }
}

export function footprint(clock: CountingClock): Footprint {
  const active = process.getActiveResourcesInfo().filter((kind) => /wrap/i.test(kind))
  return {
    children: childrenOf(process.pid).length,
    descriptors: readdirSync('/proc/self/fd').length,
    timers: clock.live,
    handles: active.length,
  }
}

/** Pids of the live children of a process; those that ended and wait to be reaped count, since nobody reaped them. */
export function childrenOf(parent: number): readonly number[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name)
    return Number.isInteger(pid) && parentOf(pid) === parent ? [pid] : []
  })
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined // it ended while we were looking
  }
}
