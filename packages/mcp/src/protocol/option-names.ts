import type { FrameLimits } from '../jsonrpc/limits.ts'
import { shown } from '../jsonrpc/shown.ts'
import { closest } from './nearest.ts'

/** The names a bag of options may have, written as a table that the compiler holds against its type. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>

/**
 * Refuses options that nobody reads: in plain JavaScript a slip of the pen would pass in silence. For set-up, never for
 * the way of a call.
 * @param doing such as `create a server`
 * @param within which option these are the members of, such as `tasks.`
 * @throws {TypeError} which names the option, and those that were probably meant
 */
export function checkOptions<Options extends object>(
  doing: string,
  given: Options,
  names: OptionNames<Options>,
  within = '',
): void {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(names, name) || given[name as keyof Options] === undefined) continue
    throw new TypeError(`Cannot ${doing} with the option "${within}${shown(name)}": there is none${meant(name, names)}`)
  }
}

/** As {@link checkOptions}, for an option that has members of its own, or stands for itself, or was left out. */
export function checkMembers<Options extends object>(
  doing: string,
  option: string,
  given: Options | boolean | string | undefined,
  names: OptionNames<Options>,
): void {
  if (typeof given === 'object' && given !== null) checkOptions(doing, given, names, `${option}.`)
}

/** Of the `limits` of both sides. */
export const LIMIT_NAMES: OptionNames<FrameLimits> = {
  maxBytes: true,
  maxDepth: true,
  maxBatch: true,
  duplicateKeys: true,
  inexactNumbers: true,
}

/** What is spelt alike, or has the word in it: who writes `timeout` means one of several, in milliseconds. */
function meant(asked: string, names: object): string {
  const all = Object.keys(names)
  const word = asked.toLowerCase()
  const near = closest(asked, all)
  const found = near.length > 0 ? near : all.filter((name) => hasWord(name.toLowerCase(), word))
  if (found.length === 0) return ''
  const unit = found.every((name) => name.endsWith('Ms')) ? ' (in milliseconds)' : ''
  return `; did you mean ${found.map((name) => `"${name}"`).join(' or ')}${unit}?`
}

function hasWord(name: string, word: string): boolean {
  return word.length >= MIN_WORD && (name.includes(word) || (name.length >= MIN_WORD && word.includes(name)))
}

/** Shorter than this, letters are in a name by chance. */
const MIN_WORD = 4
