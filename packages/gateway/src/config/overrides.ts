import { knownKeys, SETTING_SECTIONS } from './schema.ts'
import { type Entry, list, type Origin, scalar, type Table, type Tree, table } from './tree.ts'

/** A setting from the command line. */
export interface ConfigFlag {
  /** As typed: `--port`. */
  readonly flag: string
  /** `listen.port`. */
  readonly path: string
  readonly value: string | number | boolean | readonly string[]
}

interface Override {
  readonly section: string
  readonly key: string
  readonly value: Tree
}

/** `listen.allowedHosts` -> `CROSSPOINT_LISTEN_ALLOWED_HOSTS`. Lists are comma-separated there. */
export function variableOf(section: string, key: string): string {
  return `CROSSPOINT_${section}_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`)}`.toUpperCase()
}

/** Lays the environment over the file and the flags over both. */
export function applyOverrides(
  root: Table,
  env: Readonly<Record<string, string | undefined>>,
  flags: readonly ConfigFlag[],
): Table {
  const overrides = [...fromEnvironment(env), ...flags.map(fromFlag)]
  return overrides.reduce(apply, root)
}

function fromEnvironment(env: Readonly<Record<string, string | undefined>>): Override[] {
  return SETTING_SECTIONS.flatMap((section) =>
    knownKeys([section]).flatMap((key) => {
      const variable = variableOf(section, key)
      const value = env[variable]
      if (value === undefined || value === '') return []
      const origin: Origin = { source: 'env', path: `${section}.${key}`, variable }
      return [{ section, key, value: toTree(LISTS.has(key) ? split(value) : value, origin) }]
    }),
  )
}

const LISTS: ReadonlySet<string> = new Set(['allowedHosts', 'allowedOrigins', 'audience'])

function fromFlag({ flag, path, value }: ConfigFlag): Override {
  const [section = '', key = ''] = path.split('.')
  const known = SETTING_SECTIONS.some((name) => name === section) && knownKeys([section]).includes(key)
  if (!known) throw new TypeError(`No setting "${path}" for the flag ${flag}`)
  return { section, key, value: toTree(value, { source: 'flag', path, flag }) }
}

function split(value: string): string[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function toTree(value: ConfigFlag['value'], origin: Origin): Tree {
  if (typeof value !== 'object') return scalar(value, origin)
  return list(
    value.map((item) => scalar(item, origin)),
    origin,
  )
}

function apply(root: Table, { section, key, value }: Override): Table {
  const before = root.entries.get(section)
  // A section that is no mapping is an error of its own and stays to be reported.
  if (before !== undefined && before.value.kind !== 'table') return root
  const inner = new Map<string, Entry>(before?.value.kind === 'table' ? before.value.entries : [])
  inner.set(key, { key: value.origin, value })
  const changed: Entry = { key: before?.key ?? value.origin, value: table(inner, before?.value.origin ?? value.origin) }
  return table([...root.entries, [section, changed]], root.origin)
}
