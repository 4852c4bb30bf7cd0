import { CliError } from '../exit.ts'
import { isArgument } from './arguments.ts'

/** Whom a command talks to. */
export type Target =
  /** All configured servers, merged as the gateway merges them. */
  | { readonly kind: 'merged' }
  /** One server of the configuration, by its name there, with the names it gives its own things. */
  | { readonly kind: 'server'; readonly name: string }
  | { readonly kind: 'url'; readonly url: string }
  /** A program run for this command only. */
  | { readonly kind: 'command'; readonly command: string; readonly args: readonly string[] }

export interface Addressed {
  readonly target: Target
  /** The tool, prompt or URI asked for. */
  readonly name: string
  /** Words after it: arguments still to be read. */
  readonly rest: readonly string[]
}

/**
 * Reads `[target] <name> [key=value …]`. The name is required; with a child command after `--` the target is
 * that command and no other may be named.
 * @param what what the name names, for messages: `tool`, `prompt`, `resource URI`
 */
export function parseAddressed(
  words: readonly string[],
  child: readonly string[] | undefined,
  what: string,
): Addressed {
  const command = child && toCommand(child)
  const named = leadingNames(words, what)
  const most = command === undefined ? 2 : 1
  if (named.length > most) throw tooMany(named, most, what)
  const name = named.at(-1)
  if (name === undefined) throw new CliError('usage', `No ${what} is named`, { hint: hintForMissing(what) })
  const rest = words.slice(named.length)
  if (command !== undefined) return { target: command, name, rest }
  const first = named[0]
  if (named.length === 2 && first !== undefined) return { target: toTarget(first), name, rest }
  if (isUrl(name) && what !== RESOURCE) {
    throw new CliError('usage', `"${name}" is a server; name one ${what} of it as well`, {
      hint: hintForMissing(what, name),
    })
  }
  return { target: { kind: 'merged' }, name, rest }
}

/** Reads `[target]`: at most one word, none with a child command. */
export function parseTarget(words: readonly string[], child: readonly string[] | undefined): Target {
  const [word, extra] = words
  if (extra !== undefined) throw new CliError('usage', `Cannot read "${extra}": one target is enough`)
  if (child === undefined) return word === undefined ? { kind: 'merged' } : toTarget(word)
  if (word !== undefined) {
    throw new CliError('usage', `Two targets are named: "${word}" and the command after "--"`, {
      hint: 'Leave one of them out',
    })
  }
  return toCommand(child)
}

/** What `read` addresses: a URI, which may well be an http one. */
export const RESOURCE = 'resource URI'

export function isUrl(word: string): boolean {
  return /^(?:https?:\/\/|unix:\/)/i.test(word)
}

function toTarget(word: string): Target {
  return isUrl(word) ? { kind: 'url', url: word } : { kind: 'server', name: word }
}

function toCommand(child: readonly string[]): Target {
  const [command, ...args] = child
  if (command === undefined || command === '') {
    throw new CliError('usage', 'Nothing follows "--"', {
      hint: 'Write the command of the server after it, as in: crosspoint ls tools -- npx -y some-server',
    })
  }
  return { kind: 'command', command, args }
}

/** The words before the first argument. A URL is never an argument, although it may hold a `=`. */
function leadingNames(words: readonly string[], what: string): readonly string[] {
  const end = words.findIndex((word) => isArgument(word) && !isUrl(word) && what !== RESOURCE)
  return end === -1 ? words : words.slice(0, end)
}

function tooMany(named: readonly string[], most: number, what: string): CliError {
  const extra = named[most] ?? ''
  if (most === 1) {
    return new CliError('usage', `Two targets are named: "${named[0]}" and the command after "--"`, {
      hint: `Before "--" only the ${what} and its arguments stand`,
    })
  }
  if (what === RESOURCE) return new CliError('usage', `Cannot read "${extra}": one resource URI at a time`)
  return new CliError('usage', `Cannot read the argument "${extra}"`, {
    hint: 'Write key=text, key:=json, @file or - (a JSON object from standard input)',
  })
}

function hintForMissing(what: string, url?: string): string {
  const kind = what === RESOURCE ? 'resources' : `${what}s`
  return `See what there is: crosspoint ls ${kind}${url === undefined ? '' : ` ${url}`}`
}
