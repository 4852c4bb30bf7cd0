import { pino } from 'pino'
import type { LogThreshold } from '../config/model.ts'
import type { Log } from '../log.ts'
import { createLineWriter } from './line-writer.ts'

/** A log that can be ended, so that no line is lost at exit. */
export interface ProcessLog extends Log {
  /** Applies to lines from now on. */
  setLevel(level: LogThreshold): void
  /** Writes what is still buffered, at once. Call before the process exits. */
  flush(): void
}

/**
 * JSON lines on stderr, which is where everything but protocol goes. A line may be a tenth of a second late, and is lost
 * where it cannot be written.
 * @param fd file descriptor. Default 2
 */
export function createLog(level: LogThreshold, fd = 2): ProcessLog {
  const stream = createLineWriter(fd)
  const logger = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: toLabel } },
    stream,
  )
  const time = createTimeText()
  return {
    debug: (details, message) => logger.debug(details, message),
    info: (details, message) => logger.info(details, message),
    warn: (details, message) => logger.warn(details, message),
    error: (details, message) => logger.error(details, message),
    recorder: {
      get isOn() {
        return logger.isLevelEnabled('info')
      },
      write: (message, members) => stream.write(`{"level":"info","time":"${time()}","msg":"${message}",${members}}\n`),
    },
    setLevel(next) {
      logger.level = next
    },
    flush: stream.flush,
  }
}

/** ISO 8601, written anew once a millisecond. */
function createTimeText(): () => string {
  let last = 0
  let text = ''
  return () => {
    const now = Date.now()
    if (now !== last) {
      last = now
      text = new Date(now).toISOString()
    }
    return text
  }
}

function toLabel(label: string): { readonly level: string } {
  return { level: label }
}
