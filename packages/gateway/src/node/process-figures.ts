import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { ProcessFigures } from '../telemetry/metrics.ts'

/** Reads what this process uses, from now on until `stop`. */
export function watchProcess(): { read(): ProcessFigures; stop(): void } {
  const monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  monitor.enable()
  let delay = { p50: 0, p99: 0, max: 0 }
  let readAt = process.uptime()
  return {
    read() {
      const uptimeSeconds = process.uptime()
      // Two who ask at about the same time are told the same.
      if (uptimeSeconds - readAt >= MIN_STRETCH_SECONDS || delay.max === 0) {
        delay = {
          p50: toLate(monitor.percentile(50)),
          p99: toLate(monitor.percentile(99)),
          max: toLate(monitor.max),
        }
        monitor.reset()
        readAt = uptimeSeconds
      }
      const { user, system } = process.cpuUsage()
      return {
        userSeconds: user / 1e6,
        systemSeconds: system / 1e6,
        memoryBytes: process.memoryUsage.rss(),
        uptimeSeconds,
        delay,
      }
    },
    stop: () => void monitor.disable(),
  }
}

/** Of nanoseconds from one look to the next, how much later it came than it should. */
function toLate(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1_000) || 0
}

const RESOLUTION_MS = 20
const MIN_STRETCH_SECONDS = 5
