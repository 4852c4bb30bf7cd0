import { CliError } from '../exit.ts'

/** Readers of option values: each takes the word as typed. */

export function toPort(word: string): number {
  const port = Number(word)
  if (/^\d+$/.test(word) && port <= 65_535) return port
  throw new CliError('usage', `"${word}" is not a port`, { hint: 'Write a number from 0 (any free port) to 65535' })
}

/** Seconds as typed, milliseconds as used. */
export function toTimeoutMs(word: string): number {
  const seconds = Number(word)
  if (/^\d+(\.\d+)?$/.test(word) && seconds > 0 && seconds <= MAX_SECONDS) return seconds * 1000
  throw new CliError('usage', `"${word}" is not a number of seconds`, { hint: `Write a number up to ${MAX_SECONDS}` })
}

/** Beyond this a timer would not fit into 32 bits of milliseconds. */
const MAX_SECONDS = 2_000_000

/** A number and a unit, such as `90d`, as milliseconds. */
export function toDurationMs(word: string): number {
  const [, number = '', unit = ''] = /^(\d{1,9})([smhd])$/.exec(word) ?? []
  const ms = Number(number) * (UNITS[unit] ?? 0)
  if (number !== '' && ms <= MAX_DURATION_MS) return ms
  throw new CliError('usage', `"${word}" is not a length of time`, {
    hint: 'Write a number with s, m, h or d, such as 90d',
  })
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** A hundred years. */
const MAX_DURATION_MS = 36_525 * 86_400_000

export function append(word: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), word]
}

export function toHeaders(words: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const found = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)$/.exec(word)
      // The value may be a secret: it is not repeated.
      if (found === null) throw new CliError('usage', 'Cannot read a header', { hint: 'Write --header "Name: value"' })
      return [found[1] ?? '', found[2] ?? '']
    }),
  )
}

export function toEnvironment(words: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const equals = word.indexOf('=')
      if (equals <= 0) throw new CliError('usage', 'Cannot read a variable', { hint: 'Write --env NAME=value' })
      return [word.slice(0, equals), word.slice(equals + 1)]
    }),
  )
}
