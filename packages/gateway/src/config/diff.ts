import type { GatewayConfig, ListenConfig, ServerConfig } from './model.ts'
import type { PolicyConfig } from './model-policy.ts'
import { secretsOf } from './secret-marks.ts'

/** What must happen to get from one configuration to another, and nothing more. */
export interface ConfigDiff {
  /** Names that are new. */
  readonly added: readonly string[]
  /** Names that are gone. */
  readonly removed: readonly string[]
  /** Must be stopped and started: transport, replicas, revision, sessions, roots or `enabled` differ, or how long a start may take. */
  readonly changed: readonly string[]
  /** Take effect on a running server: prefix, selection, title, description, request timeout, restart delays. */
  readonly retuned: readonly string[]
  readonly views: {
    readonly added: readonly string[]
    readonly removed: readonly string[]
    readonly changed: readonly string[]
  }
  /** The address: the door must be opened anew. */
  readonly listenChanged: boolean
  /** Hosts and origins that are let in. */
  readonly guardsChanged: boolean
  /** Other settings that differ: `auth.issuers`, `limits.maxSessions`, `timeouts.drainMs`, `traffic.limits`, `log.level`, `policy.rules`, `audit`. */
  readonly settings: readonly string[]
  readonly isEmpty: boolean
}

/** Compares by content: order of keys and how something was written make no difference. */
export function diffConfig(before: GatewayConfig, after: GatewayConfig): ConfigDiff {
  const servers = diffMaps(before.servers, after.servers)
  const views = diffMaps(before.views, after.views)
  const touchedServers = [...after.servers.values()].filter((server) => usesOther(server, before, after))
  const both = [...new Set([...servers.changed, ...touchedServers.map(({ name }) => name)])]
    .filter((name) => before.servers.has(name))
    .map((name) => [name, before.servers.get(name), after.servers.get(name)] as const)
  const isRestart = ([, old, next]: (typeof both)[number]) =>
    !isEqual(restartPart(old), restartPart(next)) || usesOther(next, before, after)
  const routes = isEqual(before.routes, after.routes) ? [] : ['routes']
  const settings = [
    ...routes,
    ...diffSettings(before, after),
    ...diffPolicy(before, after),
    ...diffAudit(before, after),
  ]
  const listenChanged = !isEqual(bindPart(before.listen), bindPart(after.listen))
  const guardsChanged = !isEqual(guardPart(before.listen), guardPart(after.listen))
  const touched = [servers.added, servers.removed, servers.changed, views.added, views.removed, views.changed, settings]
  return {
    added: servers.added,
    removed: servers.removed,
    changed: both.filter(isRestart).map(([name]) => name),
    retuned: both.filter((pair) => !isRestart(pair)).map(([name]) => name),
    views,
    listenChanged,
    guardsChanged,
    settings,
    isEmpty: !listenChanged && !guardsChanged && touched.every((names) => names.length === 0),
  }
}

/** Whether it is connected to with a secret that is elsewhere now, or in a vault with another key. */
function usesOther(server: ServerConfig | undefined, before: GatewayConfig, after: GatewayConfig): boolean {
  const { enabled = false, auth, transport } = server ?? {}
  if (!enabled) return false
  if (auth?.kind === 'oauth' && !isEqual(before.vault, after.vault)) return true
  return secretsOf([auth, transport]).some((name) => {
    const secret = after.secrets.get(name)
    return (
      !isEqual(before.secrets.get(name), secret) || (secret?.kind === 'vault' && !isEqual(before.vault, after.vault))
    )
  })
}

/** A disabled server does not run, so that nothing of it needs a restart but being enabled. */
function restartPart(server: ServerConfig | undefined): unknown {
  if (server === undefined || !server.enabled) return { enabled: false }
  const { transport, replicas, revision, connectTimeoutMs, sessions, roots, auth } = server
  return [transport, replicas, revision, connectTimeoutMs, sessions, roots, auth]
}

function bindPart({ host, port, maxConnections }: ListenConfig): unknown {
  return [host, port, maxConnections]
}

/** As sets: their order means nothing. */
function guardPart({ allowedHosts, allowedOrigins }: ListenConfig): unknown {
  return [[...new Set(allowedHosts)].sort(), [...new Set(allowedOrigins)].sort()]
}

function diffMaps<T>(before: ReadonlyMap<string, T>, after: ReadonlyMap<string, T>) {
  const added = [...after.keys()].filter((name) => !before.has(name))
  const removed = [...before.keys()].filter((name) => !after.has(name))
  const changed = [...after].filter(([name, value]) => before.has(name) && !isEqual(before.get(name), value))
  return { added, removed, changed: changed.map(([name]) => name) }
}

function diffSettings(before: GatewayConfig, after: GatewayConfig): string[] {
  return (
    ['auth', 'limits', 'timeouts', 'traffic', 'log', 'store', 'vault', 'cluster', 'admin', 'telemetry'] as const
  ).flatMap((section) => {
    const old: Readonly<Record<string, unknown>> = { ...before[section] }
    const next: Readonly<Record<string, unknown>> = { ...after[section] }
    return [...new Set([...Object.keys(old), ...Object.keys(next)])]
      .filter((key) => !isEqual(old[key], next[key]))
      .map((key) => `${section}.${key}`)
  })
}

/** All of it is made anew where any of it differs. */
function diffAudit(before: GatewayConfig, after: GatewayConfig): string[] {
  return isEqual(before.audit, after.audit) ? [] : ['audit']
}

function diffPolicy({ policy: before }: GatewayConfig, { policy: after }: GatewayConfig): string[] {
  const keys = Object.keys(after) as (keyof PolicyConfig)[] // a model has all its keys, and no others
  return keys.filter((key) => !isEqual(before[key], after[key])).map((key) => `policy.${key}`)
}

function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (a instanceof Map || b instanceof Map) {
    if (!(a instanceof Map && b instanceof Map) || a.size !== b.size) return false
    return [...a].every(([key, value]) => b.has(key) && isEqual(value, b.get(key)))
  }
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const left = new Map(Object.entries(a))
  const right = new Map(Object.entries(b))
  return left.size === right.size && [...left].every(([key, value]) => right.has(key) && isEqual(value, right.get(key)))
}
