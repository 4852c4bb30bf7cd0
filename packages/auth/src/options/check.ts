import { isObject } from '../json.ts'
import { didYouMean } from './nearest.ts'
import type { Shape, Shapes } from './shape.ts'

/**
 * Refuses options that nobody reads, that are missing or of another shape, where they are given: in plain JavaScript a
 * slip of the pen or a variable that is not set would show much later, and as something else.
 * @param doing such as `check tokens`
 * @throws {TypeError} which names the option and what would work, and no value that may be a secret
 */
export function checkOptions(doing: string, given: unknown, shapes: Shapes): void {
  if (given !== undefined && !isObject(given)) {
    throw new TypeError(`Cannot ${doing} with ${kindOf(given)}: the options have to be an object`)
  }
  checkMembers(doing, given ?? {}, shapes, '')
}

function checkMembers(doing: string, given: Readonly<Record<string, unknown>>, shapes: Shapes, within: string): void {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(shapes, name) || given[name] === undefined) continue
    const meant = didYouMean(name, Object.keys(shapes))
    throw new TypeError(`Cannot ${doing} with the option "${within}${shown(name)}": there is none${meant}`)
  }
  for (const [name, shape] of Object.entries(shapes)) {
    const value = given[name]
    if (value !== undefined) checkValue(doing, value, shape, within + name)
    else if (shape.isRequired === true) throw missing(doing, within + name, shape.wanted, Object.hasOwn(given, name))
  }
}

function checkValue(doing: string, value: unknown, shape: Shape, at: string): void {
  const { wanted, fits, members, items, lacks } = shape
  if (!fits(value)) {
    throw new TypeError(
      `Cannot ${doing} with the option "${at}": it has to be ${wanted}, and is ${kindOf(value, shape)}`,
    )
  }
  if (members !== undefined && isObject(value)) {
    checkMembers(doing, value, members, `${at}.`)
    const lacking = lacks?.(value)
    const member = lacking === undefined ? undefined : members[lacking]
    if (member !== undefined)
      throw missing(doing, `${at}.${lacking}`, member.wanted, Object.hasOwn(value, lacking ?? ''))
  }
  if (items === undefined || !Array.isArray(value)) return
  for (const [index, item] of value.entries()) {
    if (item === undefined) throw missing(doing, `${at}[${index}]`, items.wanted, true)
    checkValue(doing, item, items, `${at}[${index}]`)
  }
}

/** @param isNamed it was given, and undefined: as a variable of the environment is that nobody set */
function missing(doing: string, at: string, wanted: string, isNamed: boolean): TypeError {
  const why = isNamed ? 'it is undefined, as a variable of the environment is that is not set, and has' : 'it has'
  return new TypeError(`Cannot ${doing} without the option "${at}": ${why} to be ${wanted}`)
}

function kindOf(value: unknown, { isShown = false }: Partial<Shape> = {}): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (value === '') return 'empty'
  // What stands before an @ may be a password.
  if (typeof value === 'string') return isShown && !value.includes('@') ? `"${shown(value)}"` : 'other text'
  if (typeof value === 'number') return String(value)
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function shown(name: string): string {
  const start = name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}…` : name
  return start.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\uFFFD')
}

const MAX_SHOWN = 100
