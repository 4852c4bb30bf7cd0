import { destination, pino } from 'pino'
import type { LogThreshold } from '../config/model.ts'
import type { Log } from '../log.ts'

/** A log that can be ended, so that no line is lost at exit. */
export interface ProcessLog extends Log {
  /** Applies to lines from now on. */
  setLevel(level: LogThreshold): void
  /** Writes what is still buffered, at once. Call before the process exits. */
  flush(): void
}

/**
 * JSON lines on stderr, which is where everything but protocol goes. Written without waiting; what comes while a
 * write is under way goes out with the next.
 * @param fd file descriptor. Default 2
 */
export function createLog(level: LogThreshold, fd = 2): ProcessLog {
  const stream = destination({ dest: fd, sync: false })
  const logger = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: toLabel } },
    stream,
  )
  return {
    debug: (details, message) => logger.debug(details, message),
    info: (details, message) => logger.info(details, message),
    warn: (details, message) => logger.warn(details, message),
    error: (details, message) => logger.error(details, message),
    setLevel(next) {
      logger.level = next
    },
    flush() {
      try {
        stream.flushSync()
      } catch {
        // The stream was not open yet, or its reader is gone: there is nobody left to tell.
      }
    },
  }
}

function toLabel(label: string): { readonly level: string } {
  return { level: label }
}
