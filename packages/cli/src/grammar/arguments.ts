import type { JsonObject } from '@crosspoint/mcp'
import { CliError } from '../exit.ts'

/** One word of the argument list, read but not yet loaded. */
export type Argument =
  | { readonly kind: 'text'; readonly key: string; readonly value: string }
  | { readonly kind: 'json'; readonly key: string; readonly text: string }
  /** A JSON object whose members are arguments: a file, or standard input for `-`. */
  | { readonly kind: 'object'; readonly source: string }

/** Reads a file, or standard input for `-`, as text. */
export type ReadSource = (source: string) => Promise<string>

const HOW = 'Write key=text, key:=json, @file or - (a JSON object from standard input)'

export function isArgument(word: string): boolean {
  return word === '-' || word.startsWith('@') || word.indexOf('=') > 0
}

export function parseArgument(word: string): Argument {
  if (word === '-') return { kind: 'object', source: '-' }
  if (word.startsWith('@') && word.length > 1) return { kind: 'object', source: word.slice(1) }
  const equals = word.indexOf('=')
  if (equals <= 0) throw new CliError('usage', `Cannot read the argument "${word}"`, { hint: HOW })
  if (word[equals - 1] !== ':') return { kind: 'text', key: word.slice(0, equals), value: word.slice(equals + 1) }
  const key = word.slice(0, equals - 1)
  if (key === '') throw new CliError('usage', `Cannot read the argument "${word}": it has no key`, { hint: HOW })
  return { kind: 'json', key, text: word.slice(equals + 1) }
}

/**
 * Puts the arguments of a call together. Objects from files and standard input come first, whatever their place,
 * so that a key on the command line overrides them; naming one key twice on the command line is an error.
 */
export async function readArguments(words: readonly string[], read: ReadSource): Promise<JsonObject> {
  const found = words.map(parseArgument)
  const members = new Map<string, unknown>()
  for (const argument of found) {
    if (argument.kind !== 'object') continue
    const where = argument.source === '-' ? 'standard input' : argument.source
    const value = parseJson(await read(argument.source), where)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new CliError('usage', `Cannot take arguments from ${where}: it holds no JSON object`)
    }
    for (const [key, member] of Object.entries(value)) members.set(key, member)
  }
  const named = new Set<string>()
  for (const argument of found) {
    if (argument.kind === 'object') continue
    if (named.has(argument.key)) throw new CliError('usage', `The argument "${argument.key}" is given twice`)
    named.add(argument.key)
    members.set(argument.key, argument.kind === 'text' ? argument.value : toValue(argument.key, argument.text))
  }
  return Object.fromEntries(members) // defines properties, so a key named "__proto__" is only a key
}

/** Arguments of a prompt, which are text by protocol. */
export async function readTextArguments(
  words: readonly string[],
  read: ReadSource,
): Promise<{ readonly [key: string]: string }> {
  const all = await readArguments(words, read)
  for (const [key, value] of Object.entries(all)) {
    if (typeof value === 'string') continue
    throw new CliError('usage', `The argument "${key}" of a prompt must be text`, { hint: `Write ${key}=text` })
  }
  return all as { readonly [key: string]: string } // every value was checked above
}

function toValue(key: string, text: string): unknown {
  try {
    return parseJson(text, `the argument "${key}"`)
  } catch (error) {
    if (!(error instanceof CliError) || error.hint !== undefined) throw error
    throw new CliError('usage', error.message, { hint: `For plain text write ${key}=text`, cause: error })
  }
}

function parseJson(text: string, where: string): unknown {
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CliError('usage', `Cannot read ${where} as JSON: ${reason}`, { cause: error })
  }
  checkNumbers(json, where)
  return value
}

/** A number that this runtime would change on the way is refused rather than sent changed. */
function checkNumbers(json: string, where: string): void {
  for (const [token] of json.matchAll(STRING_OR_NUMBER)) {
    if (token.startsWith('"') || isExact(token)) continue
    throw new CliError('usage', `The number ${token.slice(0, 40)} in ${where} cannot be sent unchanged`, {
      hint: 'Send it as text, or within ±(2^53 - 1)',
    })
  }
}

function isExact(token: string): boolean {
  const value = Number(token)
  return Number.isFinite(value) && (Number.isSafeInteger(value) || !/^-?\d+$/.test(token))
}

const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g
