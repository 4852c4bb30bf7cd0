/**
 * Names of servers and views: as a rule the first half of a merged tool name, and a part of a URL, so short and plain.
 * Two underscores in a row separate server and tool in merged names and can stand in neither.
 */
export const NAME_PATTERN = /^(?!.*__)[A-Za-z0-9](?:[A-Za-z0-9_-]{0,30}[A-Za-z0-9])?$/
export const NAME_RULE =
  'A name has 1 to 32 of A-Z a-z 0-9 _ -, begins and ends with a letter or digit, and holds no "__"'

/** What stands before `__` in merged names: a name as above, or nothing. */
export const PREFIX_PATTERN = new RegExp(`^$|${NAME_PATTERN.source}`)
export const PREFIX_RULE =
  'A prefix is empty, or has 1 to 32 of A-Z a-z 0-9 _ -, begins and ends with a letter or digit, and holds no "__"'

/** A tool's name in a view: what every client accepts. */
export const TOOL_NAME_PATTERN = /^[A-Za-z0-9_-]{1,64}$/
export const TOOL_NAME_RULE = 'A tool name has 1 to 64 of A-Z a-z 0-9 _ -'

/** Kept for tools of our own. */
export const RESERVED_SERVER_NAMES: ReadonlySet<string> = new Set(['crosspoint'])
/** Kept for pages below `/mcp/`. */
export const RESERVED_VIEW_NAMES: ReadonlySet<string> = new Set(['all', 'server-card'])

const MAX_NAME = 32

/** The nearest allowed name, not yet taken: other tools let servers be called anything. */
export function toServerName(wild: string, isTaken: (name: string) => boolean): string {
  const plain = wild
    .slice(0, 200)
    .normalize('NFKD')
    .replaceAll(/[^A-Za-z0-9_-]+/g, '-')
    .replaceAll(/_{2,}/g, '_')
  const base = trim(plain.slice(0, MAX_NAME)) || 'server'
  const isFree = (name: string) => !isTaken(name) && !RESERVED_SERVER_NAMES.has(name)
  for (let count = 1; ; count++) {
    const suffix = count === 1 ? '' : `-${count}`
    const name = trim(base.slice(0, MAX_NAME - suffix.length)) + suffix
    if (isFree(name)) return name
  }
}

/** Without `-` and `_` at either end. */
function trim(name: string): string {
  let from = 0
  let to = name.length
  while (from < to && isJoint(name[from])) from++
  while (to > from && isJoint(name[to - 1])) to--
  return name.slice(from, to)
}

function isJoint(letter: string | undefined): boolean {
  return letter === '-' || letter === '_'
}
