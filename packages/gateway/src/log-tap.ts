import type { Log, LogDetails } from './log.ts'

/** A line of the log, as somebody hears it who listens. */
export interface LogLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly details: LogDetails
}

/** A log to which others may listen while it is written. */
export interface LogTap {
  readonly log: Log
  /** From now on, whatever the level of the log is. @returns stops it */
  hear(listener: (line: LogLine) => void): () => void
}

/** Lines of calls are not heard: they are written by the recorder, which stays as it is. */
export function createLogTap(log: Log): LogTap {
  const listeners = new Set<(line: LogLine) => void>()
  const write = (level: LogLine['level']) => (details: LogDetails, message: string) => {
    log[level](details, message)
    for (const listener of listeners) listener({ level, message, details })
  }
  const { recorder } = log
  return {
    log: {
      debug: (details, message) => log.debug(details, message),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      ...(recorder === undefined ? {} : { recorder }),
    },
    hear: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
