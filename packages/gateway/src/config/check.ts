import { nearest } from '@crosspoint/mcp'
import { checkAdmin } from './check-admin.ts'
import { checkAuth } from './check-auth.ts'
import { checkPolicy } from './check-policy.ts'
import { checkRoutes } from './check-routes.ts'
import { checkSecrets, checkServerAuth } from './check-secrets.ts'
import { checkTelemetry } from './check-telemetry.ts'
import { checkTraffic } from './check-traffic.ts'
import type { Complaints } from './complaints.ts'
import { isLoopbackHost } from './hosts.ts'
import { folderOf, joinPath } from './join-path.ts'
import { RESERVED_SERVER_NAMES, RESERVED_VIEW_NAMES } from './names.ts'
import { quoted } from './quoted.ts'
import type { WrittenConfig, WrittenServer, WrittenView } from './schema.ts'
import { withSecrets } from './secret-marks.ts'
import { child, locate, type Tree } from './tree.ts'

/**
 * What no schema can say: whether the parts of a configuration fit together.
 * @param file the configuration itself, absolute where that is known
 */
export function checkConfig(config: WrittenConfig, root: Tree, file: string, complaints: Complaints): void {
  const check = new Check(config, root, file, complaints)
  check.listen()
  check.auth()
  check.admin()
  check.telemetry()
  check.store()
  check.cluster()
  check.evidence()
  checkSecrets(config, root, file, (path, message, hint) => complaints.error(locate(root, path).origin, message, hint))
  for (const [name, server] of Object.entries(config.servers)) check.server(name, server)
  for (const [name, view] of Object.entries(config.views)) check.view(name, view)
  checkRoutes(config, (path, message, hint) => complaints.error(locate(root, path).origin, message, hint))
  checkTraffic(config, check.names, (path, message, hint) => complaints.error(locate(root, path).origin, message, hint))
  checkPolicy(config, root, check.names, complaints)
  if (check.names.length === 0) {
    complaints.warning(locate(root, ['servers']).origin, 'No server is configured', 'add one under "servers"')
  }
}

class Check {
  /** Of all servers, those with faults of their own included: nobody is told that a server they wrote is not there. */
  readonly names: readonly string[]
  readonly #config: WrittenConfig
  readonly #root: Tree
  readonly #file: string
  readonly #complaints: Complaints

  constructor(config: WrittenConfig, root: Tree, file: string, complaints: Complaints) {
    this.#config = config
    this.#root = root
    this.#file = file
    this.#complaints = complaints
    const servers = child(root, 'servers')
    this.names = servers?.kind === 'table' ? [...servers.entries.keys()] : []
  }

  listen(): void {
    const { host } = this.#config.listen
    if (isLoopbackHost(host) || this.#isWritten(['auth'])) return
    const hint = 'add "auth", so that callers are asked, or bind 127.0.0.1'
    this.#error(
      ['listen', 'host'],
      'Callers from other machines would be served without being asked who they are',
      hint,
    )
  }

  auth(): void {
    checkAuth(
      this.#config,
      (...about) => this.#error(...about),
      (...about) => this.#warn(...about),
    )
  }

  admin(): void {
    checkAdmin(
      this.#config,
      (...about) => this.#error(...about),
      (...about) => this.#warn(...about),
    )
  }

  telemetry(): void {
    checkTelemetry(
      this.#config,
      (...about) => this.#error(...about),
      (...about) => this.#warn(...about),
    )
  }

  store(): void {
    const { kind, path, url } = this.#config.store
    const isRemote = kind === 'postgres'
    // Asked of the tree: one with a fault of its own has been taken out.
    if (isRemote && !this.#isWritten(['store', 'url'])) {
      this.#error(['store'], 'A PostgreSQL store needs "url"', 'write url: ${CROSSPOINT_DATABASE}')
    }
    if (isRemote && path !== undefined) this.#error(['store', 'path'], 'Only an embedded store has this')
    if (!isRemote && url !== undefined) this.#error(['store', 'url'], 'Only a store with "kind: postgres" has this')
    if (isRemote && url !== undefined && !URL.canParse(url)) this.#error(['store', 'url'], 'This is not a valid URL')
    if (path !== undefined && /^~[\\/]/.test(path)) {
      this.#error(['store', 'path'], 'No shell is there to replace "~"', 'write ${HOME}')
    }
  }

  cluster(): void {
    const { redis, secret, previousSecret } = this.#config.cluster
    if (redis !== undefined && !URL.canParse(redis)) this.#error(['cluster', 'redis'], 'This is not a valid URL')
    if (previousSecret !== undefined && secret === undefined) {
      this.#error(['cluster', 'previousSecret'], 'Only a cluster with "secret" has this')
    }
  }

  /** Whoever can change the store must not find there what its checkpoints are signed with. */
  evidence(): void {
    const { audit, store } = this.#config
    if (audit?.keyFile === undefined || store.path === undefined) return
    const [key, kept] = [audit.keyFile, store.path].map((path) => folderOf(joinPath(folderOf(this.#file), path)))
    if (key === kept)
      this.#warn(['audit', 'keyFile'], 'The key lies beside the store it vouches for', 'keep it elsewhere')
  }

  server(name: string, server: WrittenServer): void {
    const at = ['servers', name]
    if (RESERVED_SERVER_NAMES.has(name)) this.#error(at, `The name ${quoted(name)} is reserved`, 'choose another one')
    if (server.prefix !== undefined && RESERVED_SERVER_NAMES.has(server.prefix)) {
      this.#error([...at, 'prefix'], `The prefix ${quoted(server.prefix)} is reserved`, 'choose another one')
    }
    this.#transport(at, server)
    this.#texts(at, server)
    checkServerAuth(server, (path, message, hint) => this.#error([...at, ...path], message, hint))
    if (server.restart.minDelayMs > server.restart.maxDelayMs) {
      this.#error([...at, 'restart', 'minDelayMs'], 'Must not be longer than restart.maxDelayMs')
    }
    if (server.enabled) this.#nesting(at, server)
    if (server.url !== undefined) this.#url([...at, 'url'], server.url, server)
    this.#replicas(at, server)
  }

  #replicas(at: readonly string[], server: WrittenServer): void {
    const seen = new Set<string>()
    for (const [index, written] of (server.urls ?? []).entries()) {
      const path = typeof written === 'string' ? [...at, 'urls', index] : [...at, 'urls', index, 'url']
      const url = typeof written === 'string' ? written : written.url
      if (seen.has(url)) this.#error(path, 'This address is there already', 'give it a "weight" to send more there')
      seen.add(url)
      this.#url(path, url, server)
    }
    if (server.replicas.ejectMs > server.replicas.maxEjectMs) {
      this.#error([...at, 'replicas', 'ejectMs'], 'Must not be longer than replicas.maxEjectMs')
    }
    const areSeveral = (server.urls?.length ?? 0) > 1 || (server.instances ?? 1) > 1
    if (areSeveral || !this.#isWritten([...at, 'replicas'])) return
    this.#warn([...at, 'replicas'], 'The server has no replicas', 'write several "urls", or "instances" of a program')
  }

  view(name: string, view: WrittenView): void {
    const at = ['views', name]
    if (RESERVED_VIEW_NAMES.has(name)) this.#error(at, `The name ${quoted(name)} is reserved`, 'choose another one')
    const { names } = this
    for (const [index, server] of (view.servers ?? []).entries()) {
      if (!names.includes(server)) {
        this.#error([...at, 'servers', index], `No server is named ${quoted(server)}`, didYouMean(server, names))
      }
    }
    this.#renames(at, view)
    for (const key of ['rename', 'describe'] as const) {
      for (const tool of Object.keys(view[key])) this.#mergedName([...at, key, tool], tool, view.servers ?? names)
    }
  }

  /** One of `command` and `url`, with what belongs to it. */
  #transport(at: readonly string[], server: WrittenServer): void {
    const { type } = server
    // Asked of the tree: one with a fault of its own has been taken out of `server`.
    const [hasCommand, hasOneUrl, hasUrls] = ['command', 'url', 'urls'].map((key) => this.#isWritten([...at, key]))
    const hasUrl = hasOneUrl || hasUrls
    if (hasOneUrl && hasUrls) this.#error([...at, 'urls'], 'A server has either "url" or "urls"', 'remove one of them')
    if (hasCommand && hasUrl) {
      this.#error(
        [...at, hasUrls ? 'urls' : 'url'],
        'A server has either "command" or "url", not both',
        'remove one of them',
      )
      return
    }
    if (!hasCommand && !hasUrl) {
      const missing = type === 'stdio' ? '"command"' : type === undefined ? '"command" or "url"' : '"url"'
      this.#error(
        at,
        `The server has no ${missing}`,
        'write "command" for a program to start, "url" for a remote server',
      )
      return
    }
    if (type !== undefined && (type === 'stdio') === hasUrl) {
      this.#error([...at, 'type'], !hasUrl ? `A ${type} server needs "url"` : 'A stdio server needs "command"')
    }
    const strangers = !hasUrl
      ? (['headers'] as const)
      : (['args', 'env', 'envFile', 'inheritEnv', 'cwd', 'instances'] as const)
    for (const key of strangers) {
      if (server[key] === undefined) continue
      this.#error([...at, key], !hasUrl ? 'Only a server with "url" has this' : 'Only a server with "command" has this')
    }
  }

  /** Numbers that lose digits as numbers, line breaks in headers, a tilde nobody expands. */
  #texts(at: readonly string[], server: WrittenServer): void {
    for (const [name, value] of Object.entries(server.headers ?? {})) {
      if (/[^\t\x20-\x7e\x80-\xff]/.test(withSecrets(value, () => '')))
        this.#error([...at, 'headers', name], 'A header value cannot hold this character')
    }
    for (const key of ['args', 'env', 'headers'] as const) {
      for (const step of Object.keys(server[key] ?? {})) this.#exactNumber([...at, key, step])
    }
    const paths = [
      ['command', server.command],
      ['cwd', server.cwd],
    ] as const
    for (const [key, path] of paths) {
      if (path !== undefined && /^~[\\/]/.test(path)) {
        this.#error([...at, key], 'No shell is there to replace "~"', 'write ${HOME}')
      }
    }
    if (server.command !== undefined && /^\S+\s+-/.test(server.command) && server.args === undefined) {
      this.#warn(
        [...at, 'command'],
        'No shell is there to split the command',
        'put the arguments into "args", one by one',
      )
    }
  }

  /** A gateway that starts itself with this configuration would do so again and again. */
  #nesting(at: readonly string[], server: WrittenServer): void {
    const started = startedConfig(server)
    if (started === undefined) return
    const folder = joinPath(folderOf(this.#file), server.cwd ?? '')
    if (started === '' || joinPath(folder, started) === this.#file) {
      this.#error([...at, 'command'], 'This is the gateway itself, which would start itself again and again', LEAVE_OUT)
    } else {
      this.#warn([...at, 'command'], 'This is another gateway inside the gateway', 'list its servers here instead')
    }
  }

  #exactNumber(path: readonly string[]): void {
    const { found } = locate(this.#root, path)
    if (found?.kind !== 'scalar' || typeof found.value !== 'number' || found.written === undefined) return
    this.#error(path, 'As a number this would not be passed on as it is written', 'put it in quotes')
  }

  #url(path: readonly PropertyKey[], url: string, server: WrittenServer): void {
    const parsed = URL.canParse(url) ? new URL(url) : undefined
    if (parsed === undefined) {
      this.#error(path, 'This is not a valid URL')
      return
    }
    if (parsed.username !== '' || parsed.password !== '') {
      this.#error(path, 'A URL must not hold a user name or password', 'put an Authorization header into "headers"')
    }
    if (server.enabled && this.#isOwn(parsed)) {
      this.#error(path, 'This is the address of the gateway itself', LEAVE_OUT)
    }
    if (
      parsed.protocol === 'http:' &&
      !isLoopbackHost(parsed.hostname) &&
      Object.keys(server.headers ?? {}).length > 0
    ) {
      this.#warn(path, 'Headers are sent to another machine without encryption', 'use https://')
    }
  }

  #isOwn({ hostname, port, protocol, pathname }: URL): boolean {
    const { listen } = this.#config
    const samePort = Number(port || (protocol === 'https:' ? 443 : 80)) === listen.port
    const sameHost = isLoopbackHost(hostname) || hostname === listen.host
    return samePort && sameHost && (pathname === '/mcp' || pathname.startsWith('/mcp/'))
  }

  #renames(at: readonly string[], view: WrittenView): void {
    const taken = new Map<string, string>()
    for (const [from, to] of Object.entries(view.rename)) {
      const first = taken.get(to)
      const path = [...at, 'rename', from]
      if (first !== undefined)
        this.#error(path, `The name ${quoted(to)} is already given to ${quoted(first)}`, 'choose another one')
      taken.set(to, from)
      const listed = view.tools.include?.includes(to) === true && !Object.hasOwn(view.rename, to)
      if (listed)
        this.#error(path, `The name ${quoted(to)} is the name of another tool of this view`, 'choose another one')
    }
  }

  /** A key that begins with no server's prefix can never match: merged names are `<prefix>__<tool>`. */
  #mergedName(path: readonly string[], tool: string, servers: readonly string[]): void {
    const prefixes = servers.map((server) => this.#prefixOf(server))
    const isOf = (prefix: string) => prefix === '' || tool.startsWith(`${prefix}__`)
    if (servers.length === 0 || prefixes.some(isOf)) return
    const prefix = tool.split('__')[0] ?? ''
    const hint = didYouMean(prefix, prefixes) ?? 'a merged name is <server>__<tool>, as "crosspoint ls tools" prints it'
    this.#warn(path, 'No server of this view has a tool of that name', hint)
  }

  #prefixOf(name: string): string {
    const { servers } = this.#config
    return (Object.hasOwn(servers, name) ? servers[name]?.prefix : undefined) ?? name
  }

  #isWritten(path: readonly string[]): boolean {
    return locate(this.#root, path).found !== undefined
  }

  #error(path: readonly PropertyKey[], message: string, hint?: string): void {
    this.#complaints.error(locate(this.#root, path).origin, message, hint)
  }

  #warn(path: readonly PropertyKey[], message: string, hint?: string): void {
    this.#complaints.warning(locate(this.#root, path).origin, message, hint)
  }
}

/** `did you mean "x"?`, or undefined when nothing is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const found = nearest(word, candidates)
  return found === undefined ? undefined : `did you mean ${quoted(found)}?`
}

const LEAVE_OUT = 'remove the server or set "enabled" to false'

/** The configuration that a server which is a gateway of ours is started with; empty when none is named. */
function startedConfig({ command = '', args = [] }: WrittenServer): string | undefined {
  const words = [command, ...args]
  const at = words.findIndex((word) => /(?:^|[\\/])crosspoint(?:@[^\\/]*|\.(?:js|cmd|exe))?$/i.test(word))
  const rest = words.slice(at + 1)
  if (at < 0 || !rest.some((word) => word === 'stdio' || word === 'up')) return undefined
  const flag = rest.findIndex((word) => /^(?:--config|-c)(?:=|$)/.test(word))
  if (flag < 0) return ''
  return rest[flag]?.includes('=') ? rest[flag]?.replace(/^[^=]*=/, '') : (rest[flag + 1] ?? '')
}
