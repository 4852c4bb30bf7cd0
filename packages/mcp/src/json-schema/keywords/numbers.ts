import { type Check, found, type Run, spend } from '../run.ts'
import type { Site } from '../site.ts'

/** `minimum`, `maximum`, their exclusive forms and `multipleOf`. */
export function numberKeywords(site: Site): readonly Check[] {
  return [
    boundCheck(site, 'minimum', 'at least', (value, bound) => value >= bound),
    boundCheck(site, 'exclusiveMinimum', 'more than', (value, bound) => value > bound),
    boundCheck(site, 'maximum', 'at most', (value, bound) => value <= bound),
    boundCheck(site, 'exclusiveMaximum', 'less than', (value, bound) => value < bound),
    multipleCheck(site),
  ].filter((check) => check !== undefined)
}

function boundCheck(
  site: Site,
  keyword: string,
  words: string,
  holds: (value: number, bound: number) => boolean,
): Check | undefined {
  const bound = numberOf(site, keyword)
  if (bound === undefined) return undefined
  return (value, run) => {
    if (typeof value !== 'number' || holds(value, bound)) return true
    run.report?.add(keyword, `expected ${words} ${bound}, found ${found(value)}`)
    return false
  }
}

function numberOf(site: Site, keyword: string): number | undefined {
  const value = site.value(keyword)
  if (value === undefined || typeof value === 'number') return value
  const older = typeof value === 'boolean' ? '; true and false are the form of draft-04, which is not supported' : ''
  return site.refuse(keyword, `expected a number${older}`)
}

function multipleCheck(site: Site): Check | undefined {
  const divisor = numberOf(site, 'multipleOf')
  if (divisor === undefined) return undefined
  if (!(divisor > 0)) return site.refuse('multipleOf', 'expected a number above 0')
  const divisorIsWhole = Number.isInteger(divisor)
  site.costs(divisorIsWhole ? 0 : 20)
  return (value, run) => {
    if (typeof value !== 'number') return true
    if (divisorIsWhole ? value % divisor === 0 : isDecimalMultiple(value, divisor, run)) return true
    run.report?.add('multipleOf', `expected a multiple of ${divisor}, found ${found(value)}`)
    return false
  }
}

/** By the decimals as they are written, since 0.0075 / 0.0001 is no whole number of doubles. */
function isDecimalMultiple(value: number, divisor: number, run: Run): boolean {
  if (!Number.isFinite(value)) return false
  const a = toDecimal(value)
  const b = toDecimal(divisor)
  const exponent = Math.min(a.exponent, b.exponent)
  spend(run, Math.abs(a.exponent - b.exponent) >> 2)
  const scaled = ({ digits, exponent: from }: Decimal) => digits * 10n ** BigInt(from - exponent)
  return scaled(a) % scaled(b) === 0n
}

interface Decimal {
  readonly digits: bigint
  readonly exponent: number
}

function toDecimal(value: number): Decimal {
  const [mantissa = '', exponent = '0'] = String(value).split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length }
}
