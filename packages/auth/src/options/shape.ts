import { isObject, type JsonObject } from '../json.ts'

/** What an option has to be. */
export interface Shape {
  /** Ends the sentence `it has to be …`. */
  readonly wanted: string
  readonly fits: (value: unknown) => boolean
  /** There is no default: it has to be given. */
  readonly isRequired?: boolean
  /** No secret: an error may say what was given. */
  readonly isShown?: boolean
  /** For an object with options of its own. */
  readonly members?: Shapes
  /** For an object: the member that has to be there beside those that are, if any. */
  readonly lacks?: (value: JsonObject) => string | undefined
  /** For a list: what each of its items has to be. */
  readonly items?: Shape
}

export type Shapes = Readonly<Record<string, Shape>>

/** The shapes of all options there are, which the compiler holds against their type. */
export type ShapesOf<Options> = Readonly<Record<keyof Options, Shape>>

export function required(shape: Shape): Shape {
  return { ...shape, isRequired: true }
}

/** Text that is not empty. */
export function text(wanted = 'text that is not empty'): Shape {
  return { wanted, fits: (value) => typeof value === 'string' && value !== '' }
}

/** A URL of http or https, and nothing that is not part of an address. */
export function url(wanted = 'an http(s) URL, such as "https://auth.example.com"'): Shape {
  return { wanted, isShown: true, fits: (value) => typeof value === 'string' && isPlainUrl(value) }
}

/** One of these words. */
export function oneOf(...words: readonly string[]): Shape {
  const fits = (value: unknown) => typeof value === 'string' && words.includes(value)
  return { wanted: `one of "${words.join('", "')}"`, isShown: true, fits }
}

/** @param isEmptyFine whether there may be nothing in it. Default true */
export function list(items: Shape, wanted: string, isEmptyFine = true): Shape {
  return { wanted, items, fits: (value) => Array.isArray(value) && (isEmptyFine || value.length > 0) }
}

/** An object with these options and no others. */
export function bag(members: Shapes, wanted: string): Shape {
  return { wanted, members, fits: isObject }
}

/** Something that is alive and can do all of this. */
export function able(wanted: string, ...methods: readonly string[]): Shape {
  const can = (value: JsonObject) => methods.every((method) => typeof value[method] === 'function')
  return { wanted, fits: (value) => isObject(value) && can(value) }
}

export function isPlainUrl(given: string): boolean {
  if (!URL.canParse(given)) return false
  const { protocol, username, password } = new URL(given)
  return /^https?:$/.test(protocol) && !given.includes('#') && username === '' && password === ''
}

/** A host as URLs write it: no scheme, port or path, with which it would never be found. */
function isHost(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    URL.canParse(`https://${value}`) &&
    new URL(`https://${value}`).hostname === value.toLowerCase()
  )
}

export const BOOLEAN: Shape = { wanted: 'true or false', fits: (value) => typeof value === 'boolean' }
export const FUNCTION: Shape = { wanted: 'a function', fits: (value) => typeof value === 'function' }
/** From 0 up, also without end. */
export const AMOUNT: Shape = { wanted: 'a number from 0 up', fits: (value) => typeof value === 'number' && value >= 0 }
export const HOSTS = list(
  { wanted: 'the name of a host alone, such as "auth.example.com"', isShown: true, fits: isHost },
  'a list of hosts, such as ["auth.example.com"]',
)
export const SCOPES = list(
  {
    wanted: 'one scope, which has no spaces',
    isShown: true,
    fits: (value) => typeof value === 'string' && /^[^\s"\\]+$/.test(value),
  },
  'a list of scopes, such as ["read"]',
)
