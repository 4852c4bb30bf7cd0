import { child, list, type Table, type Tree, textOf } from './tree.ts'

/** Whose spelling a map of servers is in; decides what `timeout`, `url` and `$NAME` mean in it. */
export type Client =
  | 'claude-desktop'
  | 'claude-code'
  | 'vscode'
  | 'cursor'
  | 'windsurf'
  | 'cline'
  | 'gemini'
  | 'zed'
  | 'opencode'
  | 'crush'
  | 'goose'
  | 'unknown'

/** A map of servers as another tool writes it. */
export interface ForeignMap {
  readonly client: Client
  /** The key it was found under, as in the file. */
  readonly key: string
  /** A table by name, or a list whose members have a `name`. */
  readonly servers: Tree
  /** VS Code's `inputs`. */
  readonly inputs: Tree | undefined
}

/**
 * Finds another tool's map of servers in a document, or undefined when all of it is ours.
 * @param path of the file: some clients can only be told by it
 * @param ownKeys keys of our own schema
 */
export function findForeignMap(root: Table, path: string, ownKeys: readonly string[]): ForeignMap | undefined {
  const has = (key: string) => root.entries.has(key)
  const at = (key: string) => child(root, key)
  const found = (client: Client, key: string, servers: Tree | undefined, inputs?: Tree): ForeignMap | undefined =>
    servers === undefined ? undefined : { client, key, servers, inputs }

  if (has('mcpServers')) return found(clientOfMcpServers(at('mcpServers'), path), 'mcpServers', at('mcpServers'))
  if (has('servers') && isVsCode(root, path, ownKeys)) return found('vscode', 'servers', at('servers'), at('inputs'))
  if (ownKeys.some(has)) return undefined
  if (has('context_servers')) return found('zed', 'context_servers', at('context_servers'))
  const mcp = at('mcp')
  if (child(mcp, 'servers') !== undefined) {
    const servers = child(mcp, 'servers')
    return isOpencode(servers)
      ? found('opencode', 'mcp', servers)
      : found('vscode', 'mcp', servers, child(mcp, 'inputs'))
  }
  if (mcp?.kind === 'table') return found(isOpencode(mcp) || /opencode/.test(path) ? 'opencode' : 'crush', 'mcp', mcp)
  if (has('extensions')) return found('goose', 'extensions', at('extensions'))
  return undefined
}

const FILES: readonly (readonly [RegExp, Client])[] = [
  [/cline_mcp_settings\.json$/, 'cline'],
  [/claude_desktop_config\.json$/, 'claude-desktop'],
  [/(?:^|\/)\.(?:mcp|claude)\.json$/, 'claude-code'],
  [/\/\.gemini\/settings\.json$/, 'gemini'],
  [/\/\.?windsurf\/mcp_config\.json$/, 'windsurf'],
  [/\/\.cursor\/mcp\.json$/, 'cursor'],
  [/\/\.vscode\/mcp\.json$|\/Code\/User\/mcp\.json$/, 'vscode'],
]

function clientOfPath(path: string): Client {
  const plain = path.replaceAll('\\', '/')
  return FILES.find(([pattern]) => pattern.test(plain))?.[1] ?? 'unknown'
}

function clientOfMcpServers(servers: Tree | undefined, path: string): Client {
  const byPath = clientOfPath(path)
  if (byPath !== 'unknown') return byPath
  if (
    someEntry(servers, (entry) =>
      ['httpUrl', 'includeTools', 'excludeTools', 'trust', 'authProviderType'].some((key) => entry.entries.has(key)),
    )
  ) {
    return 'gemini'
  }
  if (someEntry(servers, (entry) => entry.entries.has('serverUrl'))) return 'windsurf'
  if (someEntry(servers, (entry) => typeOf(entry) === 'streamableHttp')) return 'cline'
  return 'unknown'
}

/** `servers` is our key too: it is VS Code's when something stands there that only VS Code writes. */
function isVsCode(root: Table, path: string, ownKeys: readonly string[]): boolean {
  if (ownKeys.some((key) => key !== 'servers' && key !== '$schema' && root.entries.has(key))) return false
  if (root.entries.has('inputs') || clientOfPath(path) === 'vscode') return true
  return someEntry(child(root, 'servers'), (entry) =>
    ['dev', 'sandbox', 'sandboxEnabled', 'gallery'].some((key) => entry.entries.has(key)),
  )
}

function isOpencode(servers: Tree | undefined): boolean {
  return someEntry(servers, (entry) => {
    const type = typeOf(entry)
    return type === 'local' || type === 'remote' || child(entry, 'command')?.kind === 'list'
  })
}

function typeOf(entry: Table): string | undefined {
  return textOf(child(entry, 'type')) ?? textOf(child(child(entry, 'transport'), 'type'))
}

function someEntry(servers: Tree | undefined, holds: (entry: Table) => boolean): boolean {
  if (servers?.kind === 'list') return servers.items.some((item) => item.kind === 'table' && holds(item))
  if (servers?.kind !== 'table') return false
  return [...servers.entries.values()].some(({ value }) => value.kind === 'table' && holds(value))
}

/** The servers of a foreign map with their names; a list names them inside. */
export function namedServers(servers: Tree): { name: string; key: Tree['origin']; value: Tree }[] {
  if (servers.kind === 'table') {
    return [...servers.entries].map(([name, entry]) => ({ name, key: entry.key, value: entry.value }))
  }
  const items = servers.kind === 'list' ? servers : list([], servers.origin)
  return items.items.map((item, index) => ({
    name: textOf(child(item, 'name')) ?? `server-${index + 1}`,
    key: item.origin,
    value: item,
  }))
}
