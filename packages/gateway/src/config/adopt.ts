import { didYouMean } from './check.ts'
import type { Complaints } from './complaints.ts'
import { type ForeignMap, findForeignMap, namedServers } from './dialect.ts'
import { type ExpandProblem, type ExpandScope, expandTree } from './expand.ts'
import { fromForeign } from './foreign.ts'
import { foreignScope, type VariableContext } from './foreign-variables.ts'
import { NAME_PATTERN, RESERVED_SERVER_NAMES, toServerName } from './names.ts'
import { quoted } from './quoted.ts'
import { knownKeys } from './schema.ts'
import { child, type Entry, scalar, type Table, type Tree, table } from './tree.ts'

export interface AdoptContext extends VariableContext {
  /** Of the file, for clients that can only be told by it. */
  readonly path: string
  readonly complaints: Complaints
}

/**
 * A document of any dialect -> one of our own shape, variables replaced: our sections as they are, other tools'
 * servers in our spelling.
 */
export function adopt(document: Table, context: AdoptContext): Table {
  const ownKeys = knownKeys([]).filter((key) => key !== 'mcpServers')
  const root = table(
    [...document.entries].filter(([key, { value }]) => !key.startsWith('x-') && !isEmptySection(key, value)),
    document.origin,
  )
  const foreign = findForeignMap(root, context.path, ownKeys)
  const own = new Map(root.entries)
  if (foreign !== undefined) own.delete(foreign.key)
  if (foreign !== undefined) dropStrangers(own, foreign, ownKeys, context.complaints)
  const scope = { env: { ...context.env, configFolder: context.baseDir } }
  for (const [key, entry] of own) {
    if (key !== '$schema') own.set(key, { ...entry, value: expandSection(key, entry.value, scope, context.complaints) })
  }
  if (foreign !== undefined) addForeign(own, foreign, context)
  return table(own, document.origin)
}

/** Sections and lists that may stand empty, as YAML does when all below them is commented out. */
const MAY_BE_EMPTY: ReadonlySet<string> = new Set([
  ...[
    'listen',
    'servers',
    'mcpServers',
    'views',
    'routes',
    'limits',
    'timeouts',
    'log',
    'store',
    'admin',
    'secrets',
    'vault',
  ],
  ...[
    'args',
    'env',
    'headers',
    'inheritEnv',
    'roots',
    'tools',
    'prompts',
    'resources',
    'restart',
    'rename',
    'describe',
    'replicas',
  ],
])

function isEmptySection(key: string, value: Tree): boolean {
  return MAY_BE_EMPTY.has(key) && value.kind === 'scalar' && value.value === null
}

function withoutEmptySections(entry: Tree): Tree {
  if (entry.kind !== 'table') return entry
  return table(
    [...entry.entries].filter(([key, { value }]) => !isEmptySection(key, value)),
    entry.origin,
  )
}

/** Keys of the other tool's own settings, unless the file is ours with a foreign map in it: then they are errors. */
function dropStrangers(
  own: Map<string, Entry>,
  foreign: ForeignMap,
  ownKeys: readonly string[],
  complaints: Complaints,
): void {
  if ([...own.keys()].some((key) => key !== '$schema' && ownKeys.includes(key))) return
  const strangers = [...own].filter(([key]) => key !== '$schema' && key !== 'inputs')
  own.clear()
  const [first] = strangers
  if (first === undefined) return
  const names = strangers.slice(0, 10).map(([key]) => quoted(key))
  const hint = didYouMean(first[0], ownKeys)
  complaints.warning(
    first[1].key,
    `Only ${quoted(foreign.key)} is read; ignored: ${names.join(', ')}${strangers.length > 10 ? ' and more' : ''}`,
    hint,
  )
}

function expandSection(section: string, value: Tree, scope: ExpandScope, complaints: Complaints): Tree {
  if (value.kind !== 'table' || (section !== 'servers' && section !== 'views')) {
    return expandAll(value, scope, complaints)
  }
  const entries = [...value.entries].map(([name, entry]) => {
    const cleaned = withoutEmptySections(entry.value)
    return [name, { ...entry, value: expandServer(cleaned, scope, complaints) }] as const
  })
  return table(entries, value.origin)
}

/** A disabled server may lack its variables: nothing of it is used. */
function expandServer(server: Tree, scope: ExpandScope, complaints: Complaints): Tree {
  const enabled = child(server, 'enabled')
  if (enabled?.kind !== 'scalar' || enabled.value !== false) return expandAll(server, scope, complaints)
  return expandTree(server, scope, [])
}

function expandAll(tree: Tree, scope: ExpandScope, complaints: Complaints): Tree {
  const problems: ExpandProblem[] = []
  const expanded = expandTree(tree, scope, problems)
  for (const { origin, message, hint } of problems) complaints.error(origin, message, hint)
  return expanded
}

function addForeign(own: Map<string, Entry>, foreign: ForeignMap, context: AdoptContext): void {
  const { complaints } = context
  if (foreign.servers.kind === 'scalar') {
    if (foreign.servers.value !== null)
      complaints.error(foreign.servers.origin, 'Must be a mapping from names to servers')
    return
  }
  const before = own.get('servers')
  // A section that is no mapping is reported by the schema.
  if (before !== undefined && before.value.kind !== 'table') return
  const servers = new Map(before?.value.kind === 'table' ? before.value.entries : [])
  const names = new Set(servers.keys())
  for (const { name } of namedServers(foreign.servers)) if (NAME_PATTERN.test(name)) names.add(name)
  const scope = foreignScope(foreign, context)
  for (const { name, key, value } of namedServers(foreign.servers)) {
    if (servers.has(name) && NAME_PATTERN.test(name)) {
      complaints.error(key, `A server named ${quoted(name)} is already configured`, 'rename one of them')
      continue
    }
    const adopted = adoptServer(name, value, foreign, scope, complaints)
    if (adopted === undefined) continue
    const plain = plainName(name, names)
    names.add(plain)
    if (plain !== name) complaints.warning(key, `The server ${quoted(name)} is called ${quoted(plain)} here`)
    servers.set(plain, { key, value: plain === name ? adopted : withTitle(adopted, name, key) })
  }
  own.set('servers', { key: before?.key ?? foreign.servers.origin, value: table(servers, foreign.servers.origin) })
}

function adoptServer(
  name: string,
  value: Tree,
  foreign: ForeignMap,
  scope: ExpandScope,
  complaints: Complaints,
): Tree | undefined {
  // What is no mapping is reported by the schema, under this name.
  if (value.kind !== 'table') return value
  const own = fromForeign(name, value, foreign.client, complaints)
  if (own === undefined) return undefined
  const named = own.entries.has('command') || own.entries.has('url')
  if (!named && (foreign.client === 'zed' || foreign.client === 'goose')) {
    complaints.warning(value.origin, `The server ${quoted(name)} is left out: it comes with an extension of that tool`)
    return undefined
  }
  return expandServer(withoutEmptySections(own), scope, complaints)
}

function plainName(name: string, names: ReadonlySet<string>): string {
  if (NAME_PATTERN.test(name) && !RESERVED_SERVER_NAMES.has(name)) return name
  return toServerName(name, (candidate) => names.has(candidate))
}

function withTitle(server: Tree, title: string, key: Entry['key']): Tree {
  if (server.kind !== 'table' || server.entries.has('title') || title === '') return server
  return table([...server.entries, ['title', { key, value: scalar(title, key) }]], server.origin)
}
