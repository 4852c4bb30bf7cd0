import { CliError } from '../exit.ts'

/**
 * A time as people write it: `2026-11-21`, `2026-11-21T12:00:00Z`, or how long ago, as `90s`, `15m`, `24h` and `7d`.
 * @returns milliseconds since 1970
 */
export function toMoment(text: string, now = Date.now()): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  if (count !== undefined && unit !== undefined) return now - Number(count) * (UNITS[unit] ?? 0)
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return at
  throw new CliError('usage', `"${text}" is not a time`, {
    hint: 'Write a time such as 2026-11-21T12:00Z, or 24h for so long ago',
  })
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
