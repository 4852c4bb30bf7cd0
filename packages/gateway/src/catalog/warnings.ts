import type { Log } from '../log.ts'

/** Warns of each thing about a server, or all of them, once: its lists are read again and again, and in every session with it. */
export function createWarnings(upstream: string | undefined, log: Log): (warnings: readonly string[]) => void {
  const told = new Set<string>()
  return (warnings) => {
    for (const warning of warnings) {
      if (told.has(warning) || told.size >= MAX_TOLD) continue
      told.add(warning)
      log.warn({ upstream }, warning)
    }
  }
}

/** Different ones of one server. */
const MAX_TOLD = 1_000
