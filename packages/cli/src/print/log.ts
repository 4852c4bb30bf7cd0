import { createLog, type LogDetails, type ProcessLog } from '@crosspoint/gateway'
import type { LogThreshold } from '@crosspoint/gateway/config'
import type { Io } from '../io.ts'
import { toWord } from './servers.ts'
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

/**
 * One line an event, with the time of day; everything of peers made visible. Of what is no trouble only the states of
 * servers are told: calls and what servers write are for `--verbose`, or nobody finds the trouble between them.
 */
export function createPeopleLog(terminal: Pick<Terminal, 'err' | 'tell'>, now: () => Date): ProcessLog {
  const { err } = terminal
  const paint = { debug: err.dim, info: err.dim, warn: err.yellow, error: err.red }
  let least = 0
  const last = new Map<string, string>()
  /** Whether the same was the last that was told of this server; numbers in it count for nothing. */
  const isOldNews = ({ upstream, state, reason }: LogDetails): boolean => {
    if (typeof upstream !== 'string' || typeof state !== 'string') return false
    const news = `${state} ${typeof reason === 'string' ? reason.replaceAll(/\d+/g, '') : ''}`
    const isOld = last.get(upstream) === news
    if (last.size >= MAX_REMEMBERED) last.clear()
    last.set(upstream, news)
    return isOld
  }
  const write = (level: keyof typeof paint) => (details: LogDetails, message: string) => {
    const isOld = level !== 'debug' && isOldNews(details) // also of what is told by somebody else while this is quiet
    const isAside = isOld || (level === 'info' && typeof details.state !== 'string')
    if (LEVELS.indexOf(isAside ? 'debug' : level) < least) return
    const time = err.dim(now().toTimeString().slice(0, 8))
    const text = describeState(details) ?? visible(message) + describeDetails(details)
    terminal.tell(`${time} ${paint[level](level.padEnd(5))} ${text}`)
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

/** Servers whose last news are remembered; a configuration that changed so often that it had more is told twice. */
const MAX_REMEMBERED = 1_000

const LEVELS: readonly LogThreshold[] = ['debug', 'info', 'warn', 'error', 'silent']

/** `files is down: reason (remedy)`, where that is what a line is about. */
function describeState({ upstream, state, reason, remedy }: LogDetails): string | undefined {
  if (typeof upstream !== 'string' || typeof state !== 'string') return undefined
  const why = typeof reason === 'string' ? `: ${reason}` : ''
  const what = typeof remedy === 'string' ? ` (${remedy})` : ''
  return visible(`${upstream} is ${toWord(state)}${why}${what}`)
}

function describeDetails(details: LogDetails): string {
  const parts = Object.entries(details).flatMap(([key, value]) => {
    if (value === undefined) return []
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
    return [` ${visible(key)}=${/\s/.test(text) ? JSON.stringify(visible(text)) : visible(text)}`]
  })
  return parts.join('')
}
