import { createLog, type LogDetails, type ProcessLog } from '@crosspoint/gateway'
import type { LogThreshold } from '@crosspoint/gateway/config'
import type { Io } from '../io.ts'
import type { Terminal } from './terminal.ts'
import { visible } from './visible.ts'

/** The gateway's log as the person or program behind standard error reads it: lines for people, or JSON lines. */
export function createServingLog({ terminal }: Io, level: LogThreshold): ProcessLog {
  const log = terminal.isWatched && !terminal.json ? createPeopleLog(terminal, () => new Date()) : createLog('silent')
  log.setLevel(toThreshold(terminal, level))
  return log
}

/** What was asked for on the command line goes before what the configuration says. */
export function toThreshold(
  { quiet, verbose }: Pick<Terminal, 'quiet' | 'verbose'>,
  level: LogThreshold,
): LogThreshold {
  if (verbose) return 'debug'
  return quiet ? 'error' : level
}

/** One line an event, with the time of day; everything of peers made visible. */
export function createPeopleLog(terminal: Pick<Terminal, 'err' | 'tell'>, now: () => Date): ProcessLog {
  const { err } = terminal
  const paint = { debug: err.dim, info: err.dim, warn: err.yellow, error: err.red }
  let least = 0
  const write = (level: keyof typeof paint) => (details: LogDetails, message: string) => {
    if (LEVELS.indexOf(level) < least) return
    const time = err.dim(now().toTimeString().slice(0, 8))
    terminal.tell(`${time} ${paint[level](`${level.padEnd(5)} ${visible(message)}`)}${describeDetails(details)}`)
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    setLevel: (level) => {
      least = LEVELS.indexOf(level)
    },
    flush: () => {}, // nothing is held back
  }
}

const LEVELS: readonly LogThreshold[] = ['debug', 'info', 'warn', 'error', 'silent']

function describeDetails(details: LogDetails): string {
  const parts = Object.entries(details).flatMap(([key, value]) => {
    if (value === undefined) return []
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
    return [` ${visible(key)}=${/\s/.test(text) ? JSON.stringify(visible(text)) : visible(text)}`]
  })
  return parts.join('')
}
