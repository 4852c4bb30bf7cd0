import { shown } from '../jsonrpc/shown.ts'
import { closest } from './nearest.ts'

/** The names a bag of options may have, written as a table that the compiler holds against its type. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>

/**
 * Refuses options that nobody reads: in plain JavaScript a slip of the pen would pass in silence. For set-up, never for
 * the way of a call.
 * @param doing such as `create a server`
 * @throws {TypeError} which names the option, and those that were probably meant
 */
export function checkOptions<Options extends object>(doing: string, given: Options, names: OptionNames<Options>): void {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(names, name) || given[name as keyof Options] === undefined) continue
    throw new TypeError(`Cannot ${doing} with the option "${shown(name)}": there is none${meant(name, names)}`)
  }
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
