import { toAuth } from './build-auth.ts'
import { allUrls, toReplicas } from './build-replicas.ts'
import { toRoutes } from './build-routes.ts'
import { toSecret, toServerAuth, toVault } from './build-secrets.ts'
import { joinPath } from './join-path.ts'
import type { GatewayConfig, Selection, ServerConfig, TransportConfig, ViewConfig } from './model.ts'
import type { AdminConfig } from './model-admin.ts'
import type { AuditConfig } from './model-audit.ts'
import type { ClusterConfig } from './model-cluster.ts'
import type { Covered, PolicyConfig, RuleConfig } from './model-policy.ts'
import type { StoreConfig } from './model-store.ts'
import type { WrittenConfig, WrittenServer, WrittenView } from './schema.ts'

/** A valid, checked configuration as the gateway uses it. */
export function toModel(written: WrittenConfig, baseDir: string): GatewayConfig {
  const { listen, auth, limits, timeouts, traffic, log, audit, admin, telemetry } = written
  return deepFreeze({
    listen,
    ...(auth === undefined ? {} : { auth: toAuth(auth, baseDir) }),
    servers: new Map(
      Object.entries(written.servers).map(([name, server]) => [name, toServer(name, server, written, baseDir)]),
    ),
    views: new Map(Object.entries(written.views).map(([name, view]) => [name, toView(name, view)])),
    secrets: new Map(Object.entries(written.secrets).map(([name, secret]) => [name, toSecret(secret, baseDir)])),
    vault: toVault(written.vault, baseDir),
    routes: toRoutes(written),
    policy: toPolicy(written),
    limits,
    timeouts,
    traffic,
    log,
    store: toStore(written.store, baseDir),
    cluster: toCluster(written.cluster),
    ...(audit === undefined ? {} : { audit: toAudit(audit, baseDir) }),
    admin: toAdmin(admin),
    telemetry,
  })
}

function toServer(name: string, server: WrittenServer, { timeouts }: WrittenConfig, baseDir: string): ServerConfig {
  const requestTimeoutMs = server.requestTimeoutMs ?? timeouts.requestMs
  const transport = toTransport(server, baseDir)
  const replicas = toReplicas(server, transport)
  return {
    name,
    prefix: server.prefix ?? name,
    enabled: server.enabled,
    ...(server.title === undefined ? {} : { title: server.title }),
    ...(server.description === undefined ? {} : { description: server.description }),
    transport,
    ...(replicas === undefined ? {} : { replicas }),
    ...(server.auth === undefined ? {} : { auth: toServerAuth(server.auth, allUrls(server)[0] ?? '') }),
    ...(server.revision === undefined ? {} : { revision: server.revision }),
    connectTimeoutMs: server.connectTimeoutMs ?? timeouts.connectMs,
    requestTimeoutMs,
    maxRequestMs: server.maxRequestMs ?? Math.max(timeouts.maxRequestMs, requestTimeoutMs),
    sessions: server.sessions,
    ...(server.roots === undefined ? {} : { roots: server.roots }),
    restart: server.restart,
    tools: toSelection(server.tools),
  }
}

function toTransport(server: WrittenServer, baseDir: string): TransportConfig {
  const [url] = allUrls(server)
  if (url !== undefined) {
    return { kind: server.type === 'sse' ? 'sse' : 'http', url, headers: { ...server.headers } }
  }
  return {
    kind: 'stdio',
    command: server.command ?? '',
    args: server.args ?? [],
    env: { ...server.env },
    cwd: joinPath(baseDir, server.cwd ?? ''),
    inheritEnv: server.inheritEnv ?? [],
  }
}

function toStore({ kind, path, url, maxConnections, timeoutMs }: WrittenConfig['store'], baseDir: string): StoreConfig {
  return {
    kind,
    ...(path === undefined ? {} : { path: joinPath(baseDir, path) }),
    ...(url === undefined ? {} : { url }),
    maxConnections,
    timeoutMs,
  }
}

function toCluster(written: WrittenConfig['cluster']): ClusterConfig {
  const { redis, secret, previousSecret, address, listen, leaseMs } = written
  return {
    ...(redis === undefined ? {} : { redis }),
    ...(secret === undefined ? {} : { secret }),
    ...(previousSecret === undefined ? {} : { previousSecret }),
    ...(address === undefined ? {} : { address }),
    listen,
    leaseMs,
  }
}

function toView(name: string, view: WrittenView): ViewConfig {
  return {
    name,
    ...(view.title === undefined ? {} : { title: view.title }),
    ...(view.description === undefined ? {} : { description: view.description }),
    ...(view.servers === undefined ? {} : { servers: view.servers }),
    tools: toSelection(view.tools),
    prompts: toSelection(view.prompts),
    resources: toSelection(view.resources),
    rename: new Map(Object.entries(view.rename)),
    describe: new Map(Object.entries(view.describe)),
  }
}

/** Paths start from the folder of the file. */
function toAudit(audit: NonNullable<WrittenConfig['audit']>, baseDir: string): AuditConfig {
  const { keyFile, anchor, retentionDays, redact, ...rest } = audit
  return {
    ...rest,
    redact: redact.map(({ tools, arguments: names }) => ({
      arguments: names,
      ...(tools === undefined ? {} : { tools }),
    })),
    ...(keyFile === undefined ? {} : { keyFile: joinPath(baseDir, keyFile) }),
    ...(anchor === undefined ? {} : { anchor: anchor === 'stderr' ? anchor : joinPath(baseDir, anchor) }),
    ...(retentionDays === undefined ? {} : { retentionDays }),
  }
}

function toAdmin({ port, token, resource, ...rest }: WrittenConfig['admin']): AdminConfig {
  return {
    ...rest,
    ...(port === undefined ? {} : { port }),
    ...(token === undefined ? {} : { token }),
    ...(resource === undefined ? {} : { resource: resource.replace(/\/+$/, '') }),
  }
}

function toPolicy({ scopes, roles, policy }: WrittenConfig): PolicyConfig {
  return {
    scopes: new Map(Object.entries(scopes).map(([name, covered]) => [name, toCovered(covered)])),
    roles: new Map(Object.entries(roles).map(([name, role]) => [name, role.scopes])),
    default: policy.default,
    views: new Map(Object.entries(policy.views).map(([name, view]) => [name, view.default])),
    dryRun: policy.dryRun,
    assign: policy.assign,
    rules: policy.rules.map(toRule),
  }
}

function toRule({ name, effect, servers, views, when, message, ...things }: WrittenRule): RuleConfig {
  return {
    name,
    effect,
    ...toCovered(things),
    ...(servers === undefined ? {} : { servers }),
    ...(views === undefined ? {} : { views }),
    ...(when === undefined ? {} : { when }),
    ...(message === undefined ? {} : { message }),
  }
}

function toCovered({ tools, resources, prompts }: WrittenConfig['scopes'][string]): Covered {
  return {
    ...(tools === undefined ? {} : { tools }),
    ...(resources === undefined ? {} : { resources }),
    ...(prompts === undefined ? {} : { prompts }),
  }
}

type WrittenRule = WrittenConfig['policy']['rules'][number]

function toSelection({ include, exclude }: WrittenView['tools']): Selection {
  return { ...(include === undefined ? {} : { include }), ...(exclude === undefined ? {} : { exclude }) }
}

/** Freezes objects and lists; what a map holds is frozen, the map itself is read-only by its type. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of value instanceof Map ? value.values() : Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
