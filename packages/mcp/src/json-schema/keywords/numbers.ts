import { type Check, found, type Run, spend } from '../run.ts'
import type { Keywords, Site } from '../site.ts'

/** `minimum`, `maximum`, their exclusive forms and `multipleOf`. */
export const numberKeywords: Keywords = {
  names: 'minimum exclusiveMinimum maximum exclusiveMaximum multipleOf',
  toChecks(site) {
    return [
      boundCheck(site, 'minimum', 'at least', (value, bound) => value >= bound),
      boundCheck(site, 'exclusiveMinimum', 'more than', (value, bound) => value > bound),
      boundCheck(site, 'maximum', 'at most', (value, bound) => value <= bound),
      boundCheck(site, 'exclusiveMaximum', 'less than', (value, bound) => value < bound),
      multipleCheck(site),
    ].filter((check) => check !== undefined)
  },
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
  const isMultiple = toMultipleTest(divisor)
  return (value, run) => {
    if (typeof value !== 'number' || isMultiple(value, run)) return true
    run.report?.add('multipleOf', `expected a multiple of ${divisor}, found ${found(value)}`)
    return false
  }
}

function toMultipleTest(divisor: number): (value: number, run: Run) => boolean {
  if (Number.isInteger(divisor)) return (value) => value % divisor === 0
  const { digits, exponent } = toDecimal(divisor)
  const scale = 10 ** -exponent
  const whole = Number(digits)
  return (value, run) => {
    const scaled = Math.round(value * scale)
    // Up to fifteen digits a double is as good as what was written: it has these decimals, or more than the divisor.
    if (scale <= MAX_EXACT && whole <= MAX_EXACT && Math.abs(scaled) <= MAX_EXACT) {
      return scaled / scale === value && scaled % whole === 0
    }
    return isDecimalMultiple(value, divisor, run)
  }
}

const MAX_EXACT = 1e15

/** By the decimals as they are written, since 0.0075 / 0.0001 is no whole number of doubles. */
function isDecimalMultiple(value: number, divisor: number, run: Run): boolean {
  if (!Number.isFinite(value)) return false
  const a = toDecimal(value)
  const b = toDecimal(divisor)
  const exponent = Math.min(a.exponent, b.exponent)
  spend(run, DECIMAL_STEPS + (Math.abs(a.exponent - b.exponent) >> 2))
  const scaled = ({ digits, exponent: from }: Decimal) => digits * 10n ** BigInt(from - exponent)
  return scaled(a) % scaled(b) === 0n
}

/** What taking two numbers apart and dividing them costs. */
const DECIMAL_STEPS = 80

interface Decimal {
  readonly digits: bigint
  readonly exponent: number
}

function toDecimal(value: number): Decimal {
  const [mantissa = '', exponent = '0'] = String(value).split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length }
}
