import type { AdminConfig } from './model-admin.ts'
import type { AuditConfig } from './model-audit.ts'
import type { AuthConfig } from './model-auth.ts'
import type { ClusterConfig } from './model-cluster.ts'
import type { PolicyConfig } from './model-policy.ts'
import type { ReplicasConfig } from './model-replicas.ts'
import type { RouteConfig } from './model-routes.ts'
import type { SecretConfig, ServerAuthConfig, VaultConfig } from './model-secrets.ts'
import type { StoreConfig } from './model-store.ts'
import type { TelemetryConfig } from './model-telemetry.ts'
import type { TrafficConfig } from './model-traffic.ts'
import type { TransportConfig } from './model-transport.ts'

export type {
  HttpTransportConfig,
  SseTransportConfig,
  StdioTransportConfig,
  TransportConfig,
} from './model-transport.ts'

/**
 * What the gateway is to do: frozen, complete (every default filled in), independent of how it was written.
 * Built by `parseConfig`; compared by `diffConfig`.
 */
export interface GatewayConfig {
  readonly listen: ListenConfig
  /** Absent: nobody is asked who they are, and only this machine is served. */
  readonly auth?: AuthConfig
  /** By name, in the order of the file; disabled ones included. */
  readonly servers: ReadonlyMap<string, ServerConfig>
  /** By name, in the order of the file. A view is served at `/mcp/<name>`. */
  readonly views: ReadonlyMap<string, ViewConfig>
  /** By name. */
  readonly secrets: ReadonlyMap<string, SecretConfig>
  readonly vault: VaultConfig
  /** By name, in the order of the file: tools that several servers offer. */
  readonly routes: ReadonlyMap<string, RouteConfig>
  /** What callers may. */
  readonly policy: PolicyConfig
  readonly limits: LimitsConfig
  readonly timeouts: TimeoutsConfig
  readonly traffic: TrafficConfig
  readonly log: LogConfig
  readonly store: StoreConfig
  readonly cluster: ClusterConfig
  /** Absent: no evidence is kept, and only the log tells of calls. */
  readonly audit?: AuditConfig
  readonly admin: AdminConfig
  /** What is told of it while it runs: nothing, where nobody is named. */
  readonly telemetry: TelemetryConfig
}

export interface ListenConfig {
  /** Address to bind. Default `127.0.0.1`. */
  readonly host: string
  /** 0 takes any free port. Default 8360. */
  readonly port: number
  /** `Host` header values accepted besides the loopback names, as `name` (any port) or `name:port`. Default none. */
  readonly allowedHosts: readonly string[]
  /** `Origin` header values accepted besides our own on loopback, as `https://name[:port]`. Default none. */
  readonly allowedOrigins: readonly string[]
  /** Most connections open at once. Default 20,000: two for each session, one of which listens. */
  readonly maxConnections: number
}

export interface ServerConfig {
  /** 1–32 of `[A-Za-z0-9_-]`, without `__`. */
  readonly name: string
  /**
   * The first half of the names its tools and prompts get, before `__`; `''` leaves them as the server says, as far as
   * names can be. Default: `name`.
   */
  readonly prefix: string
  /** A disabled server is listed, never started. Default true. */
  readonly enabled: boolean
  readonly title?: string
  readonly description?: string
  /** Of several replicas that of the first. */
  readonly transport: TransportConfig
  /** Of remote servers. Absent: they are sent `headers`, and nothing else that shows who we are. */
  readonly auth?: ServerAuthConfig
  /** Where it has several addresses, or runs several times. Absent: it has one. */
  readonly replicas?: ReplicasConfig
  /** Speak this revision and no other. Default: the newest both sides have. */
  readonly revision?: string
  /** Until the connection is open, probe included. Default `timeouts.connectMs`. */
  readonly connectTimeoutMs: number
  /** Longest wait for an answer without progress. Default `timeouts.requestMs`. */
  readonly requestTimeoutMs: number
  /**
   * Longest wait for an answer whatever progress is made. Default `timeouts.maxRequestMs`, or `requestTimeoutMs` where
   * that is longer.
   */
  readonly maxRequestMs: number
  /** Whose calls share a session with a server of a handshake revision. Default `per-principal`. */
  readonly sessions: SessionMode
  /** `file:` URIs, told to a server that asks for roots outside of any call. Absent: it is refused. */
  readonly roots?: readonly string[]
  readonly restart: RestartConfig
  /** Which of the server's own tool names are offered at all. Default all. */
  readonly tools: Selection
}

/**
 * `per-principal`: calls of one caller who declares the same; a client with sessions of its own that can be asked something
 * has one for each. `per-session`: calls of one session of the caller, where it has one. `per-request`: each call has its own. `shared`: one for all, where all callers are one person.
 */
export type SessionMode = 'per-principal' | 'per-session' | 'per-request' | 'shared'

/** Waits between attempts to bring a lost server back: doubled from `minDelayMs` to `maxDelayMs`, with jitter. */
export interface RestartConfig {
  /** Default 500 ms. */
  readonly minDelayMs: number
  /** Default 60 s. */
  readonly maxDelayMs: number
  /** A server that stayed up this long starts again at `minDelayMs`. Default 60 s. */
  readonly resetAfterMs: number
}

/**
 * Which names pass: those that match `include` (absent: all) and do not match `exclude`, which wins. A pattern
 * is a name with `*` for any run of characters; `toSelector` turns it into a predicate.
 */
export interface Selection {
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
}

/** A virtual server: some of what the servers offer, under names of its own. */
export interface ViewConfig {
  /** 1–32 of `[A-Za-z0-9_-]`. */
  readonly name: string
  readonly title?: string
  readonly description?: string
  /** Names of the servers it draws from. Absent: all. */
  readonly servers?: readonly string[]
  /** Over merged names (`<prefix>__<tool>`), as `crosspoint ls tools` prints them. */
  readonly tools: Selection
  /** Over merged prompt names. */
  readonly prompts: Selection
  /** Over the URIs of resources and the URI templates of templates. */
  readonly resources: Selection
  /** Merged tool name -> name in this view. Selection looks at the merged name. */
  readonly rename: ReadonlyMap<string, string>
  /** Merged tool name -> description in this view. */
  readonly describe: ReadonlyMap<string, string>
}

export interface LimitsConfig {
  /** Longest message from a caller. Default 4 MiB. */
  readonly maxRequestBytes: number
  /** Longest message from a server. Default 64 MiB. */
  readonly maxResponseBytes: number
  /** Deepest nesting of a message. Default 64. */
  readonly maxDepth: number
  /** Most members of a batch, where a revision has batches. Default 50. */
  readonly maxBatch: number
  /** Most requests of one session or channel at work at once. Default 64. */
  readonly maxConcurrent: number
  /** Most handshake sessions alive. Default 10,000. */
  readonly maxSessions: number
  /** Most bytes waiting on one stream for a caller who does not read. Default 4 MiB. */
  readonly maxStreamBytes: number
  /** Most sessions with one server on behalf of callers. Default 256. */
  readonly maxUpstreamSessions: number
  /** Most calls kept open while their callers answer between two requests. Default 1,000. */
  readonly maxParked: number
  /** Most of one caller. Default 250. */
  readonly maxParkedPerPrincipal: number
  /** Most bytes of such calls. Default 128 MiB. */
  readonly maxParkedBytes: number
  /** Most icons of one server that are fetched from its own origin and put into its lists; 0 passes addresses on. Default 64. */
  readonly maxIcons: number
  /** Largest of these. Default 64 KiB. */
  readonly maxIconBytes: number
  /** Things on one page of a list. Default 1,000: hardly a client asks for a second page. */
  readonly pageSize: number
}

export interface TimeoutsConfig {
  /** Until a server is connected, probe included. Default 30 s. */
  readonly connectMs: number
  /** How long a stdio server may stay silent when probed for its revision. Default 5 s. */
  readonly probeMs: number
  /** Longest wait for an answer without progress. Default 60 s. */
  readonly requestMs: number
  /** Longest wait for an answer whatever progress is made. Default 15 minutes. */
  readonly maxRequestMs: number
  /** A handshake session nobody uses ends after this. Default 30 minutes. */
  readonly sessionIdleMs: number
  /** A session with a server on behalf of callers that nobody uses ends after this. Default 10 minutes. */
  readonly upstreamIdleMs: number
  /** How often a server that does not tell of changes is asked for its lists again. Default 5 minutes. */
  readonly relistMs: number
  /** How long a caller may take to bring answers to a question of the server. Default 10 minutes. */
  readonly inputMs: number
  /** How long an icon may take to be fetched. Default 10 s. */
  readonly iconMs: number
  /** On shutdown, how long calls in flight may still finish. Default 25 s. */
  readonly drainMs: number
  /** After closing its stdin, and again after TERM, a child gets this long. Default 2 s. */
  readonly killGraceMs: number
}

export interface LogConfig {
  /** Default `info`. */
  readonly level: LogThreshold
}

export type LogThreshold = 'debug' | 'info' | 'warn' | 'error' | 'silent'
