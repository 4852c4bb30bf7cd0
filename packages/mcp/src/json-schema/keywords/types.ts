import { toCanonicalText } from '../canonical.ts'
import { briefJson, type Check, found, listed, quoted } from '../run.ts'
import type { Keywords, Site } from '../site.ts'

/** `type`, `enum` and `const`. */
export const typeKeywords: Keywords = {
  names: 'type enum const',
  toChecks(site) {
    return [typeCheck(site), enumCheck(site), constCheck(site)].filter((check) => check !== undefined)
  },
}

const NULL = 1
const BOOLEAN = 2
const FRACTION = 4
const INTEGER = 8
const STRING = 16
const ARRAY = 32
const OBJECT = 64

const MASKS: { readonly [name: string]: number } = {
  null: NULL,
  boolean: BOOLEAN,
  number: FRACTION | INTEGER,
  integer: INTEGER,
  string: STRING,
  array: ARRAY,
  object: OBJECT,
}

const NAMED: { readonly [name: string]: string } = {
  null: 'null',
  boolean: 'true or false',
  number: 'a number',
  integer: 'a whole number',
  string: 'a string',
  array: 'an array',
  object: 'an object',
}

function typeCheck(site: Site): Check | undefined {
  const type = site.value('type')
  if (type === undefined) return undefined
  const names: readonly unknown[] = Array.isArray(type) ? type : [type]
  let mask = 0
  for (const name of names) {
    if (typeof name !== 'string' || !Object.hasOwn(MASKS, name)) {
      return site.refuse('type', `expected a type or a list of types out of ${listed(Object.keys(MASKS), quoted)}`)
    }
    mask |= MASKS[name] ?? 0
  }
  const wanted = names.map((name) => NAMED[String(name)]).join(' or ')
  return (value, run) => {
    if ((maskOf(value) & mask) !== 0) return true
    run.report?.add('type', `expected ${wanted}, found ${found(value)}`)
    return false
  }
}

function maskOf(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return STRING
    case 'number':
      return Number.isInteger(value) ? INTEGER : Number.isFinite(value) ? FRACTION : 0
    case 'boolean':
      return BOOLEAN
    case 'object':
      return value === null ? NULL : Array.isArray(value) ? ARRAY : OBJECT
    default:
      return 0
  }
}

function enumCheck(site: Site): Check | undefined {
  const values = site.list('enum')
  if (values === undefined) return undefined
  const plain = new Set(values.filter((value) => !isCompound(value)))
  const compound = new Set(values.filter(isCompound).map((value) => toCanonicalText(value, undefined)))
  const wanted = listed(values, written)
  return (value, run) => {
    if (isCompound(value) ? compound.size > 0 && compound.has(toCanonicalText(value, run)) : plain.has(value)) {
      return true
    }
    run.report?.add('enum', `expected one of ${wanted}, found ${found(value)}`)
    return false
  }
}

function constCheck(site: Site): Check | undefined {
  if (!Object.hasOwn(site.schema, 'const')) return undefined
  const wanted = site.value('const')
  if (wanted === undefined) return undefined
  const text = isCompound(wanted) ? toCanonicalText(wanted, undefined) : undefined
  return (value, run) => {
    if (text === undefined ? value === wanted : isCompound(value) && toCanonicalText(value, run) === text) return true
    run.report?.add('const', `expected ${written(wanted)}, found ${found(value)}`)
    return false
  }
}

function isCompound(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function written(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  return briefJson(value, MAX_WRITTEN) ?? found(value)
}

const MAX_WRITTEN = 60
