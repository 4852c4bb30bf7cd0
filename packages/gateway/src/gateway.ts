import {
  ANONYMOUS,
  CALLER_LIMITS,
  type ClientCapabilities,
  type Clock,
  type CrossingOptions,
  createCrossing,
  type Implementation,
  type Principal,
  systemClock,
  UPSTREAM_LIMITS,
} from '@crosspoint/mcp'
import { openConnection } from '@crosspoint/mcp/client'
import { createTaskDesk } from '@crosspoint/mcp/server'
import type { Beside, Endpoint } from '@crosspoint/mcp/transports'
import { Ledger } from './audit/ledger.ts'
import type { AuditEvent } from './audit/record.ts'
import { AuthServerSlot } from './authserver/slot.ts'
import { Hop } from './catalog/hop.ts'
import type { IconBounds } from './catalog/icons/icons.ts'
import { createLens, type Lens, type View } from './catalog/view.ts'
import type { Cluster } from './cluster/cluster.ts'
import { type ConfigDiff, diffConfig } from './config/diff.ts'
import type { GatewayConfig } from './config/model.ts'
import type { ConnectDesk, WhoIs } from './credentials/connect/desk.ts'
import { Credentials } from './credentials/credentials.ts'
import { Fleet } from './fleet.ts'
import { type EndpointSettings, ViewEndpoint } from './front/view-endpoint.ts'
import { Identity } from './identity/identity.ts'
import { type Log, SILENT } from './log.ts'
import type { GatewayNews } from './news.ts'
import { deriveClusterKeys } from './node/cluster-keys.ts'
import { hostAndProcess } from './node/host.ts'
import { sha256 } from './node/sha256.ts'
import { createTraceIds } from './node/trace-ids.ts'
import { readSecretFile, readVaultKeys } from './node/vault-key.ts'
import { explainPolicy, type PolicyExplanation, type PolicyQuestion } from './policy/explain.ts'
import { createPolicy, Policy } from './policy/policy.ts'
import type { UpstreamStatus } from './status.ts'
import type { Store } from './stores/contract/store.ts'
import { storePathOf } from './stores/open.ts'
import type { RedisConnection } from './stores/redis/connection.ts'
import { RedisCounters } from './stores/redis/counters.ts'
import { type GatewayFigures, toFigures } from './telemetry/figures.ts'
import { Tally } from './telemetry/tally.ts'
import { Telemetry } from './telemetry/telemetry.ts'
import type { Counters } from './traffic/counters.ts'
import { Traffic, type TrafficFigure } from './traffic/traffic.ts'
import type { Connect } from './upstreams/connector.ts'
import { RELAYED, toDeclared } from './upstreams/context.ts'

export interface GatewayOptions {
  readonly config: GatewayConfig
  /** Name and version we give ourselves, to callers and to servers. */
  readonly info: Implementation
  /** Default: nothing is logged. */
  readonly log?: Log
  readonly clock?: Clock
  /** How a server is connected to. Default `openConnection`. */
  readonly connect?: Connect
  /** What stdio servers may inherit from. Default: the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** How icons are fetched that servers have at https addresses of their own. Default: the `fetch` of the platform. */
  readonly fetch?: typeof fetch
  /** How long `start` and `apply` wait for servers to settle. Default 5 s. */
  readonly settleMs?: number
  /** Milliseconds since 1970, for people to read. Default `Date.now`. */
  readonly wallClock?: () => number
  /** Where API keys are, and where evidence and credentials for servers are kept. Default: there are none, and they are not. */
  readonly store?: Pick<Store, 'keys'> &
    Partial<Pick<Store, 'audit' | 'counts' | 'credentials' | 'accounts' | 'grants'>>
  /** Whose browser it is that opens a link to sign in to a server. Default: of who is signed in at the own authorization server, else unknown. */
  readonly whoIs?: WhoIs
  /** Who a caller is: see `Endpoint.authenticate`. Default: as `auth` of the configuration says. */
  readonly authenticate?: Endpoint['authenticate']
  /** Where calls are counted that are limited. Default: as `traffic.counters` of the configuration says. */
  readonly counters?: Counters
  /** What this gateway shares with others. Default: nothing. */
  readonly redis?: RedisConnection
  /** Other gateways that serve the same callers, as `openCluster` finds them. Default: there are none. */
  readonly cluster?: Cluster | undefined
  /** In [0, 1), for jitter. Default `Math.random`. */
  readonly random?: () => number
}

/** Many servers behind one endpoint per view. */
export interface Gateway {
  /**
   * Starts all servers. Resolves when each is ready or known not to be, or after `settleMs`; never rejects for a
   * server that fails: {@link Gateway.status} says what became of it.
   * @param options `soleCaller`: what the one client declares that there will be. Its calls then go over the connections
   *   that read the lists, and servers are started once. Default: there may be many.
   */
  start(options?: { readonly soleCaller?: ClientCapabilities }): Promise<void>
  /**
   * Goes over to another configuration. Servers it does not touch keep running, with their calls; those it removes
   * or changes finish theirs first. What a changed one offered stays listed until it says what it offers now.
   * Servers that were given up are started again.
   * @throws whatever is wrong with the configuration; then the old one stays in force
   */
  apply(config: GatewayConfig): Promise<ConfigDiff>
  readonly config: GatewayConfig
  /** In the order of the configuration. */
  status(): readonly UpstreamStatus[]
  /** What became of calls so far and how long they took, by tool and by method. */
  figures(): GatewayFigures
  /** Where Prometheus can ask, where that is configured and was started. */
  readonly metricsUrl: string | undefined
  /** What was limited, cached and refused so far, for metrics. Labels are names of the configuration. */
  traffic(): readonly TrafficFigure[]
  /** Adds to the evidence, where it is kept, what happened and is no call: never a secret. */
  record(event: AuditEvent): void
  /** Every enabled server has been ready, or is known not to be. */
  readonly settled: boolean
  /**
   * Why a caller may use something, or may not, rule by rule. Undefined where nobody has it: no server lists it, or no view
   * is named so; where there are no rules everybody may.
   */
  explainPolicy(question: PolicyQuestion): PolicyExplanation | undefined
  /**
   * Stops a server and starts it again; calls at work may finish for `timeouts.drainMs`.
   * @returns undefined where no server has this name, false where it is switched off
   */
  restart(server: string): boolean | undefined
  /**
   * What a view offers now: to a caller, or, without one, at all. Undefined where there is no such view.
   * @param name undefined: the view of everything
   */
  offered(name?: string, principal?: Principal): View | undefined
  /**
   * Tells of servers in another state, of other lists and of another configuration, until it is stopped.
   * @returns stops it
   */
  watch(listener: (news: GatewayNews) => void): () => void
  /** Other gateways that serve the same callers; doors answer what those hand on. */
  readonly cluster: Cluster | undefined
  /** Who callers are; doors ask it what to say of themselves. */
  readonly identity: Pick<Identity, 'local' | 'opened' | 'seen'>
  /** The pages at which people sign in to servers; doors serve them. Absent where there is no store for that. */
  readonly connect: Pick<ConnectDesk, 'serves' | 'answer' | 'opened'> | undefined
  /**
   * Who answers at a path that is no endpoint's: the authorization server, where there is one.
   * @param issuer the address at which it is asked
   */
  beside(path: string, issuer: string): Beside | undefined
  /**
   * What is served under a view's name, or, without one, of everything. The same object across reloads, but for the one
   * that brings `auth` or takes it away: nothing that was begun under the other rule goes on.
   */
  endpoint(view?: string): Endpoint | undefined
  /** Ends every subscription, lets calls finish for `graceMs` (default: `timeouts.drainMs`), stops every server. */
  close(options?: { readonly graceMs?: number }): Promise<void>
}

export function createGateway(options: GatewayOptions): Gateway {
  const { info, log = SILENT, clock = systemClock, settleMs = 5_000, redis } = options
  const ids = createTraceIds()
  const hop = new Hop()
  let config = options.config
  const endpoints = new Map<string | undefined, ViewEndpoint>()
  let lenses = toLenses(config)
  let policy = createPolicy(config.policy)

  const { cluster } = options
  const crossing = createCrossing({ ...toCrossingOptions(config, clock), ...toStateKey(config, cluster) })
  const traffic = new Traffic({
    clock,
    log,
    random: options.random ?? Math.random,
    counters: options.counters,
    counts: options.store?.counts,
    ...(redis === undefined ? {} : { openCommon: (owner) => new RedisCounters({ redis, clock, owner }) }),
  })
  traffic.apply(config.traffic)
  const tally = new Tally({ clock })
  const tasks = createTaskDesk({
    clock,
    log: ({ level, event, ...details }) => log[level](details, event),
    ...(cluster && { node: cluster.node }),
  })
  const authServer = new AuthServerSlot(options, {
    clock,
    log,
    config,
    resources: () => identity.resources,
    record: (event) => ledger.event(event),
  })
  const identity: Identity = new Identity({
    ownTokens: () => authServer.current,
    config,
    clock,
    log,
    sha256,
    keys: options.store?.keys,
    wallClock: options.wallClock ?? Date.now,
    scopesSupported: (view) => policy?.scopesSupported(endpoints.get(view)?.view),
  })
  const telemetry = new Telemetry({
    tally,
    clock,
    log,
    ids,
    env: options.env ?? process.env,
    about: { version: info.version, instance: crypto.randomUUID() },
    traffic: () => [...traffic.snapshot(), ...fleet.figures()],
    upstreams: () => fleet.status(),
    listeners: () => [...endpoints.values()].reduce((sum, { listeners }) => sum + listeners, 0),
    evidence: () => ledger.current?.figures,
  })
  telemetry.apply(config.telemetry, config.audit)
  const ledger = new Ledger({
    store: options.store?.audit,
    clock,
    log,
    env: options.env ?? process.env,
    about: { name: info.name, version: info.version, ...hostAndProcess() },
  })
  ledger.apply(config.audit)
  const env = options.env ?? process.env
  const credentials = new Credentials({
    config: () => config,
    store: options.store?.credentials,
    vaultKeys: () => readVaultKeys(config.vault, env, storePathOf(config.store, env)),
    readFile: async (path) => readSecretFile(path),
    env,
    windows: process.platform === 'win32',
    clock,
    wallClock: options.wallClock ?? Date.now,
    log,
    whoIs:
      options.whoIs ??
      (async (headers, issuer) => (await authServer.current?.whoIs(headers.cookie, issuer)) ?? 'unknown'),
    subjectOf: (principal) => identity.tokenOf(principal),
    changed: (server, { tenant, principal: id }) => {
      const isOwn = tenant === '' && id === ''
      fleet.credentialChanged(server, isOwn ? ANONYMOUS : { id, tenant })
      if (isOwn) fleet.credentialChanged(server, undefined)
      ledger.event({ event: 'server.connected', tenant, principal: id, target: server })
    },
  })
  const fleet = new Fleet({
    client: info,
    log,
    clock,
    connect: async (target, settings) => {
      const connection = await (options.connect ?? openConnection)(target, settings)
      const network = target.kind === 'stdio' ? 'pipe' : 'tcp'
      telemetry.sessions?.connected(network, connection.verdict.revision, connection.closed)
      return connection
    },
    accessOf: credentials.accessOf,
    wallClock: options.wallClock ?? Date.now,
    random: options.random ?? Math.random,
    crossing,
    declared: () => declared,
    hop,
    relistMs: () => config.timeouts.relistMs,
    limits: () => toConnectionLimits(config),
    routes: () => config.routes,
    iconBounds: () => toIconBounds(config),
    fetch: options.fetch ?? fetch,
    sessionBounds: () => ({ max: config.limits.maxUpstreamSessions, idleMs: config.timeouts.upstreamIdleMs }),
    changed: show,
    stateChanged: (name) => tell({ kind: 'server', name }),
  })

  const watchers = new Set<(news: GatewayNews) => void>()
  function tell(news: GatewayNews): void {
    for (const watcher of watchers) watcher(news)
  }

  /** Makes every view anew from what the servers offer now. */
  function show(): void {
    const { catalog } = fleet
    for (const [name, lens] of lenses) {
      const view = lens(catalog)
      const endpoint = endpointOf(name)
      if (view.displaced.length > 0 && view.displaced.join() !== endpoint.view?.displaced.join()) {
        log.warn({ view: name, tools: view.displaced }, 'A rename took the name of another tool, which has a new one')
      }
      endpoint.show(view, policy?.forView(name))
    }
    for (const [name, endpoint] of endpoints) if (!lenses.has(name)) endpoint.hide()
    tell({ kind: 'catalog' })
  }

  function endpointOf(name: string | undefined): ViewEndpoint {
    const known = endpoints.get(name)
    if (known !== undefined) return known
    const settings = () => toEndpointSettings(config)
    const made = new ViewEndpoint({
      log,
      clock,
      ids,
      hop,
      wallClock: options.wallClock ?? Date.now,
      serverInfo: info,
      name,
      cluster,
      authenticate: withAdmission(
        options.authenticate ?? identity.authenticate(name),
        traffic,
        () => config.traffic?.door !== undefined,
      ),
      sessionEnded: (id) => {
        fleet.callerEnded(id)
        ledger.current?.sessionEnded(id)
        telemetry.sessions?.sessionEnded(id)
      },
      evidence: () => ledger.current,
      settings,
      tally,
      telemetry,
      traffic,
      tasks,
      watchOf: (to, call) => fleet.watchOf(to, call),
      resourceUpdated: (server, uri) => traffic.cache?.updated(server, uri),
      rootsChanged: (caller) => fleet.rootsChanged(caller),
    })
    endpoints.set(name, made)
    return made
  }

  let declared = RELAYED
  let isClosed = false
  let turn: Promise<unknown> = Promise.resolve()
  /** Reloads that come together are made one after the other. */
  function inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = turn.then(run)
    turn = result.catch(() => {})
    return result
  }

  function apply(next: GatewayConfig): ConfigDiff {
    if (isClosed) throw new Error('Cannot apply a configuration: the gateway is closed')
    const diff = diffConfig(config, next)
    const nextLenses = toLenses(next) // may throw: nothing has changed yet
    const isOtherPolicy = diff.settings.some((setting) => setting.startsWith('policy.'))
    const nextPolicy = isOtherPolicy ? createPolicy(next.policy) : policy
    if (diff.settings.includes('audit')) ledger.apply(next.audit) // this, too
    config = next
    lenses = nextLenses
    authServer.apply(config)
    identity.apply(config)
    credentials.apply()
    policy = nextPolicy
    fleet.apply(config, diff)
    if (diff.settings.some((name) => /^(?:telemetry\.|audit$)/.test(name))) {
      telemetry.apply(config.telemetry, config.audit)
    }
    if (diff.settings.some((name) => name.startsWith('traffic.'))) {
      traffic.apply(config.traffic)
      for (const endpoint of endpoints.values()) endpoint.recompose()
    }
    show()
    // Who is no longer let in does not go on listening.
    if (diff.settings.some((key) => /^auth\b/.test(key))) for (const endpoint of endpoints.values()) endpoint.relisten()
    if (!diff.isEmpty) ledger.event({ event: 'config.applied', about: toAbout(diff) })
    tell({ kind: 'config', diff })
    log.info({ ...diff, isEmpty: undefined }, diff.isEmpty ? 'Configuration is unchanged' : 'Configuration is in force')
    return diff
  }

  fleet.fill(config)
  show()
  return {
    // Waiting is not part of the turn: a gateway that is closed meanwhile is closed at once.
    start: async ({ soleCaller } = {}) => {
      await inTurn(async () => {
        if (soleCaller !== undefined) declared = toDeclared(soleCaller)
        if (!isClosed) fleet.start()
      })
      await telemetry.start()
      await fleet.untilSettled(settleMs)
    },
    apply: async (next) => {
      const diff = await inTurn(async () => apply(next))
      await fleet.untilSettled(settleMs)
      return diff
    },
    get config() {
      return config
    },
    explainPolicy: (question) => {
      const base = endpoints.get(question.view)?.view
      const now = (options.wallClock ?? Date.now)()
      return base === undefined ? undefined : explainPolicy(policy ?? new Policy(config.policy), base, question, now)
    },
    restart: (server) => (isClosed ? false : fleet.restart(server, config.timeouts.drainMs)),
    offered: (name, principal) => {
      const endpoint = lenses.has(name) ? endpoints.get(name) : undefined
      return principal === undefined ? endpoint?.view : endpoint?.viewOf(principal)
    },
    watch: (listener) => {
      watchers.add(listener)
      return () => watchers.delete(listener)
    },
    status: () => fleet.status(),
    record: (event) => ledger.event(event),
    figures: () => toFigures(tally),
    get metricsUrl() {
      return telemetry.metricsUrl
    },
    traffic: () => traffic.snapshot(),
    get settled() {
      return fleet.settled
    },
    cluster,
    identity,
    connect: credentials.desk,
    beside: (path, issuer) => authServer.current?.beside(path, issuer),
    endpoint: (view) => {
      const found = lenses.has(view) ? endpoints.get(view) : undefined
      return options.authenticate !== undefined || identity.asks ? found?.guarded : found?.endpoint
    },
    close: ({ graceMs = config.timeouts.drainMs } = {}) =>
      inTurn(async () => {
        isClosed = true
        for (const endpoint of endpoints.values()) endpoint.end()
        crossing.close()
        credentials.close()
        authServer.close()
        await fleet.close(graceMs)
        await traffic.close()
        await ledger.close(Math.max(graceMs, MIN_ENDING_MS))
        await telemetry.close(Math.max(graceMs, MIN_ENDING_MS))
      }),
  }
}

/** Names only: a value may be a secret. */
function toAbout({ isEmpty: _, ...diff }: ConfigDiff): AuditEvent['about'] & object {
  return { ...diff }
}

/** Who sends too much is told so before the request is read. */
function withAdmission(
  authenticate: NonNullable<Endpoint['authenticate']>,
  traffic: Traffic,
  isBounded: () => boolean,
): NonNullable<Endpoint['authenticate']> {
  const admit = async (found: ReturnType<typeof authenticate>) => {
    const principal = await found
    // What is no principal is refused by who asked for it.
    if (typeof principal?.id === 'string' && typeof principal.tenant === 'string') await traffic.admit(principal)
    return principal
  }
  // Who is known at once does not wait where nothing is counted.
  return (headers) => (isBounded() ? admit(authenticate(headers)) : authenticate(headers))
}

/** The view of everything has no name. */
function toLenses(config: GatewayConfig): ReadonlyMap<string | undefined, Lens> {
  const { pageSize } = config.limits
  const named = [...config.views].map(([name, view]) => [name, createLens(view, pageSize)] as const)
  return new Map<string | undefined, Lens>([[undefined, createLens(undefined, pageSize)], ...named])
}

function toCrossingOptions({ limits, timeouts }: GatewayConfig, clock: Clock): CrossingOptions {
  const { maxParked, maxParkedPerPrincipal, maxParkedBytes } = limits
  return {
    clock,
    stateTtlMs: timeouts.inputMs,
    // A state of a server is carried in one of ours, a third longer than it was.
    maxStateBytes: MAX_STATE_BYTES,
    maxParked,
    maxParkedPerPrincipal: Math.min(maxParkedPerPrincipal, maxParked),
    maxParkedBytes,
    maxParkedBytesPerPrincipal: Math.max(1, Math.floor(maxParkedBytes / 4)),
  }
}

/** With a secret what callers carry is good for longer than this process, and in others that have it. */
function toStateKey({ cluster: { secret, previousSecret } }: GatewayConfig, cluster: Cluster | undefined) {
  if (cluster !== undefined) return { stateKey: cluster.stateKeys, node: cluster.node }
  return secret === undefined ? {} : { stateKey: deriveClusterKeys(secret, previousSecret).states }
}

function toConnectionLimits({ limits, timeouts }: GatewayConfig) {
  const { maxResponseBytes: maxBytes, maxDepth, maxBatch } = limits
  return {
    limits: { ...UPSTREAM_LIMITS, maxBytes, maxDepth, maxBatch },
    relayFromBytes: RELAY_FROM_BYTES,
    // Each call that waits for its caller holds one, and takes none from those that could be answered.
    maxSockets: SOCKETS + limits.maxParkedPerPrincipal,
    probeTimeoutMs: timeouts.probeMs,
    killGraceMs: timeouts.killGraceMs,
  }
}

function toIconBounds({
  limits: { maxIcons, maxIconBytes },
  timeouts: { iconMs: timeoutMs },
}: GatewayConfig): IconBounds {
  return { maxIcons, maxIconBytes, timeoutMs }
}

function toEndpointSettings({ limits, timeouts, servers }: GatewayConfig): EndpointSettings {
  const longestMs = Math.max(timeouts.maxRequestMs, ...[...servers.values()].map((server) => server.maxRequestMs))
  const { maxRequestBytes: maxBytes, maxDepth, maxBatch, maxConcurrent, maxSessions, maxStreamBytes } = limits
  return {
    limits: { ...CALLER_LIMITS, maxBytes, maxDepth, maxBatch },
    maxConcurrent,
    maxSessions,
    maxStreamBytes,
    sessionIdleMs: timeouts.sessionIdleMs,
    // The server's own time is over first, and its sentence names the setting.
    callTimeoutMs: longestMs + 1_000,
  }
}

/** What waits to be recorded gets this long to be kept, however short the end is to be. */
const MIN_ENDING_MS = 5_000
const MAX_STATE_BYTES = 512 * 1024
/** With one session of a server over HTTP, for calls at work. */
const SOCKETS = 64
/** What is smaller costs no more to be read, and a rule might want to. */
const RELAY_FROM_BYTES = 16 * 1024
