import { FORMATS } from '../formats.ts'
import { type Check, found, quoted, type Run, spend } from '../run.ts'
import type { Keywords, Site } from '../site.ts'

/** `minLength`, `maxLength`, `pattern` and `format`. */
export const stringKeywords: Keywords = {
  names: 'minLength maxLength pattern format',
  toChecks(site) {
    return [lengthCheck(site), patternCheck(site), formatCheck(site)].filter((check) => check !== undefined)
  },
}

/** Lengths count code points, not the units of UTF-16; they are counted only where the difference can matter. */
function lengthCheck(site: Site): Check | undefined {
  const min = site.count('minLength') ?? 0
  const max = site.count('maxLength') ?? Number.POSITIVE_INFINITY
  if (min === 0 && max === Number.POSITIVE_INFINITY) return undefined
  return (value, run) => {
    if (typeof value !== 'string') return true
    const units = value.length
    if (units >= min * 2 && units <= max) return true
    if (units < min || units > max * 2) return tellLength(units, min, max, run)
    spend(run, units >> 1)
    const length = codePoints(value)
    return (length >= min && length <= max) || tellLength(length, min, max, run)
  }
}

function tellLength(length: number, min: number, max: number, run: Run): boolean {
  if (length < min) run.report?.add('minLength', `expected at least ${characters(min)}, found ${length}`)
  else run.report?.add('maxLength', `expected at most ${characters(max)}, found ${length}`)
  return false
}

function characters(count: number): string {
  return count === 1 ? '1 character' : `${count} characters`
}

function codePoints(text: string): number {
  let count = text.length
  for (let at = 0; at < text.length - 1; at++) {
    if (isHigh(text.charCodeAt(at)) && isLow(text.charCodeAt(at + 1))) count--
  }
  return count
}

const isHigh = (unit: number) => unit >= 0xd800 && unit < 0xdc00
const isLow = (unit: number) => unit >= 0xdc00 && unit < 0xe000

function patternCheck(site: Site): Check | undefined {
  const source = site.value('pattern')
  if (source === undefined) return undefined
  const matches = site.pattern(source, 'pattern')
  return (value, run) => {
    if (typeof value !== 'string' || matches(value, run)) return true
    run.report?.add('pattern', `expected text that matches ${quoted(String(source))}, found ${found(value)}`)
    return false
  }
}

function formatCheck(site: Site): Check | undefined {
  const name = site.value('format')
  if (name === undefined || !site.assertsFormat) return undefined
  const format = typeof name === 'string' ? FORMATS.get(name) : undefined
  if (format === undefined) return undefined
  return (value, run) => {
    if (typeof value !== 'string') return true
    spend(run, FORMAT_STEPS + (value.length >> 2))
    if (format.holds(value)) return true
    run.report?.add('format', `expected ${format.wanted}, found ${found(value)}`)
    return false
  }
}

/** What taking a text apart costs, however short. */
const FORMAT_STEPS = 150
