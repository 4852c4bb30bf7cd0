import type { Clock } from '@crosspoint/mcp'
import type { Log } from '../log.ts'
import { shown } from '../shown.ts'

/**
 * Carries a child's stderr to our log: at most {@link LINES_PER_SECOND} lines a second, the rest counted; control
 * characters escaped, since what a server prints ends up on somebody's terminal.
 */
export function createStderrLog(upstream: string, log: Log, clock: Clock): (line: string) => void {
  let second = Number.NEGATIVE_INFINITY
  let written = 0
  let dropped = 0
  return (text) => {
    if (text.trim() === '') return
    const now = clock.now()
    if (now - second >= 1000) {
      if (dropped > 0) log.warn({ upstream, dropped }, 'Upstream floods its stderr; lines were left out')
      second = now
      written = 0
      dropped = 0
    }
    if (written++ < LINES_PER_SECOND) log.info({ upstream, stderr: shown(text, MAX_LINE) }, 'Upstream wrote to stderr')
    else dropped++
  }
}

const LINES_PER_SECOND = 20
const MAX_LINE = 1000
