import type { Call, ClientCapabilities, Clock, Crossing, Implementation, JsonObject, Principal } from '@crosspoint/mcp'
import type { Connection } from '@crosspoint/mcp/client'
import { agree } from './catalog/agreement.ts'
import { buildCatalog, type Catalog, type Destination, type Source } from './catalog/catalog.ts'
import type { Hop } from './catalog/hop.ts'
import { type IconBounds, Icons } from './catalog/icons/icons.ts'
import { type Offer, withSessions } from './catalog/offer.ts'
import { createResourceWatch, type ResourceWatch, Watches } from './catalog/resource-watch.ts'
import { withRoutes } from './catalog/routes.ts'
import { startSurvey } from './catalog/survey.ts'
import { createWarnings } from './catalog/warnings.ts'
import type { ConfigDiff } from './config/diff.ts'
import type { GatewayConfig, ServerConfig } from './config/model.ts'
import { toSelector } from './config/selection.ts'
import type { Log } from './log.ts'
import { toStatus, type UpstreamStatus } from './status.ts'
import type { AccessOf } from './upstreams/access.ts'
import type { Connect } from './upstreams/connector.ts'
import { type Caller, toContext } from './upstreams/context.ts'
import { type ReplicaFigure, Replicas } from './upstreams/replicas/replicas.ts'
import type { Served } from './upstreams/served.ts'
import type { SessionSurvey } from './upstreams/session.ts'
import { type SurveyReport, Upstream, type UpstreamOptions } from './upstreams/upstream.ts'

export interface FleetOptions {
  readonly client: Implementation
  readonly log: Log
  readonly clock: Clock
  readonly connect: Connect
  readonly accessOf: AccessOf
  readonly wallClock: () => number
  readonly random: () => number
  readonly crossing: Crossing
  /** What our own connections declare. */
  readonly declared: () => ClientCapabilities
  /** This gateway among others that a call may pass. */
  readonly hop: Hop
  /** How often lists are read again of whose changes nobody tells, in milliseconds. */
  readonly relistMs: () => number
  readonly limits: () => UpstreamOptions['limits']
  readonly routes: () => GatewayConfig['routes']
  /** Of pictures that servers have at addresses of their own, and how those are fetched. */
  readonly iconBounds: () => IconBounds
  readonly fetch: typeof fetch
  readonly sessionBounds: UpstreamOptions['sessionBounds']
  /** What the servers offer together is not what it was. */
  readonly changed: () => void
  /** A server is in another state, or connected anew. */
  readonly stateChanged?: (name: string) => void
}

/** A configured server, and what was learnt of it. */
interface Member {
  readonly upstream: Served
  source: Source
  /** What it offers to us: of several replicas what they agree on. */
  own: Offer | undefined
  /** What each of its replicas offers, by their places. */
  readonly owns: (Offer | undefined)[]
  /** What it offers in sessions on behalf of callers, where callers are one. */
  readonly inSessions: Map<string, Offer>
  /** Tools that work only as tasks. */
  taskOnly: ReadonlySet<string>
  readonly icons: Icons
  readonly warn: (warnings: readonly string[]) => void
  /** The connection the watch on its resources was last told of. */
  connection: Connection | undefined
  settled: boolean
}

/** All configured servers, in the order of the configuration. */
export class Fleet {
  readonly #options: FleetOptions
  #members: ReadonlyMap<string, Member> = new Map()
  readonly #watches = new Watches()
  readonly #leaving = new Set<Promise<void>>()
  readonly #waiters = new Set<() => void>()
  readonly #warnOfRoutes: (warnings: readonly string[]) => void

  constructor(options: FleetOptions) {
    this.#options = options
    this.#warnOfRoutes = createWarnings(undefined, options.log)
  }

  /** The merged catalog of this moment. */
  get catalog(): Catalog {
    const members = [...this.#members.values()].filter(({ upstream }) => upstream.config.enabled)
    const { catalog, problems } = withRoutes(buildCatalog(members.map(({ source }) => source)), this.#options.routes())
    this.#warnOfRoutes(problems)
    return catalog
  }

  get settled(): boolean {
    return [...this.#members.values()].every(({ settled }) => settled)
  }

  status(): readonly UpstreamStatus[] {
    return [...this.#members.values()].map(({ upstream, source }) => toStatus(upstream, source.offer))
  }

  /** What became of calls by replica, where servers have several. */
  figures(): readonly ReplicaFigure[] {
    return [...this.#members.values()].flatMap(({ upstream }) => (upstream instanceof Replicas ? upstream.figures : []))
  }

  /** Takes the servers of the first configuration, without starting them. */
  fill({ servers }: GatewayConfig): void {
    this.#members = new Map([...servers].map(([name, server]) => [name, this.#create(server)]))
  }

  start(): void {
    for (const { upstream } of this.#members.values()) upstream.start()
  }

  /** Goes over to another configuration: what did not change stays as it is, calls included. */
  apply({ servers, timeouts }: GatewayConfig, diff: ConfigDiff): void {
    const before = this.#members
    const members = new Map<string, Member>()
    for (const [name, server] of servers) {
      const old = before.get(name)
      const keeps = old !== undefined && !diff.changed.includes(name)
      members.set(name, keeps ? this.#retune(old, server) : this.#create(server, old?.source.offer))
    }
    this.#members = members
    for (const [name, member] of before) if (members.get(name) !== member) this.#dismiss(member, timeouts.drainMs)
    this.start()
  }

  /**
   * Stops a server and starts it anew; calls at work may finish for `graceMs`.
   * @returns undefined where none has this name, false where it is switched off
   */
  restart(name: string, graceMs: number): boolean | undefined {
    const old = this.#members.get(name)
    if (old === undefined) return undefined
    const { config } = old.upstream
    if (!config.enabled) return false
    const made = this.#create(config, old.source.offer)
    this.#members = new Map([...this.#members].map(([key, member]) => [key, member === old ? made : member]))
    this.#dismiss(old, graceMs)
    made.upstream.start()
    this.#options.changed()
    return true
  }

  /** Resolves when every server is ready or known not to be, or after `ms`. */
  untilSettled(ms: number): Promise<void> {
    if (this.settled) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        timer.cancel()
        this.#waiters.delete(done)
        resolve()
      }
      const timer = this.#options.clock.setTimer(ms, done)
      this.#waiters.add(done)
    })
  }

  /** The watch of a caller on the resources of a server, where it offers to be watched. */
  watchOf({ name }: Destination, call: Call): ResourceWatch | undefined {
    const member = this.#members.get(name)
    if (member?.source.offer?.capabilities.resources?.subscribe !== true) return undefined
    const { clock, random, hop } = this.#options
    const meta = hop.toShared(call, name)
    const { key = '' } = toContext(call, member.upstream.config.sessions, member.upstream.credentialOf(call.principal))
    return this.#watches.of(name, key + JSON.stringify(meta), (unused) =>
      createResourceWatch({
        toHandle: () => {
          const upstream = this.#members.get(name)?.upstream
          return upstream?.connection === undefined ? undefined : upstream.handle
        },
        behalf: { principal: call.principal, downstream: call.downstream, meta },
        unused,
        clock,
        random,
      }),
    )
  }

  /** Somebody signed in to a server, or out; see {@link Upstream.credentialChanged}. */
  credentialChanged(server: string, principal: Principal | undefined): void {
    this.#members.get(server)?.upstream.credentialChanged(principal)
  }

  /** A session of a caller has ended: nobody will come to what servers keep for it. */
  callerEnded(downstream: string): void {
    for (const { upstream } of this.#members.values()) upstream.callerEnded(downstream)
  }

  /** A caller has other roots. */
  rootsChanged(caller: Caller): void {
    for (const { upstream } of this.#members.values()) upstream.rootsChanged(caller)
  }

  async close(graceMs: number): Promise<void> {
    for (const done of [...this.#waiters]) done()
    this.#watches.stop()
    for (const { icons } of this.#members.values()) icons.close()
    await Promise.all([...this.#members.values()].map(({ upstream }) => upstream.stop(graceMs)))
    await Promise.all(this.#leaving)
  }

  /** @param known what the server of that name offered before: it stays listed until the new one says otherwise */
  #create(config: ServerConfig, known?: Offer): Member {
    const { clock, random, sessionBounds } = this.#options
    const { replicas } = config
    const toMember = (): Member => member
    const upstream: Served =
      replicas === undefined
        ? this.#toUpstream(config, toMember)
        : new Replicas({
            config,
            replicas,
            clock,
            random,
            idleMs: () => sessionBounds().idleMs,
            create: (own, replica, keeper, at) =>
              this.#toUpstream(own, toMember, { at, keeper, log: withReplica(this.#options.log, replica.name) }),
          })
    const source = { destination: upstream, offer: known, ...toListing(config) }
    const member: Member = {
      upstream,
      source,
      own: known,
      owns: [],
      inSessions: new Map(),
      taskOnly: toTaskOnly(known),
      icons: this.#toIcons(config, () => this.#tell(member)),
      warn: createWarnings(config.name, this.#options.log),
      connection: undefined,
      settled: false,
    }
    return member
  }

  /** One address of a server. */
  #toUpstream(
    config: ServerConfig,
    member: () => Member,
    { at, keeper, log }: Place = { at: 0, log: this.#options.log },
  ): Upstream {
    const { clock, random, limits, client, connect, crossing, declared, sessionBounds, accessOf, wallClock } =
      this.#options
    const warn = (warnings: readonly string[]) => member().warn(warnings)
    // What is learnt in sessions is of one replica.
    const keyOf = (key: string) => (keeper === undefined ? key : `${at} ${key}`)
    return new Upstream({
      keeper,
      warn,
      config,
      client,
      connect,
      crossing,
      declared,
      sessionBounds,
      log,
      clock,
      wallClock,
      random,
      accessOf,
      limits: limits(),
      changed: () => this.#stateChanged(member()),
      survey: (connection, report) =>
        startSurvey(connection, report, {
          hop: this.#options.hop,
          upstream: config.name,
          known: member().own,
          offered: (offer) => this.#offered(member(), at, offer),
          relistMs: this.#options.relistMs(),
          warn,
          log,
          clock,
          random,
        }),
      surveySession: (connection, key) => this.#surveySession(member(), connection, keyOf(key)),
      isGated: (key, tool) => {
        const { own, inSessions } = member()
        const inSession = inSessions.get(keyOf(key))
        return inSession !== undefined && isIn(own, tool) && !isIn(inSession, tool)
      },
      isTaskOnly: (tool) => member().taskOnly.has(tool),
    })
  }

  #toIcons({ name, transport }: ServerConfig, changed: () => void): Icons {
    const { iconBounds: bounds, fetch, clock, log } = this.#options
    const url = transport.kind === 'stdio' ? undefined : transport.url
    return new Icons({ upstream: name, url, bounds, fetch, changed, clock, log })
  }

  #retune(member: Member, config: ServerConfig): Member {
    member.upstream.retune(config)
    member.source = { ...member.source, ...toListing(config) }
    return member
  }

  /** Calls at work may finish; new ones do not find it any more. */
  #dismiss({ upstream, icons }: Member, graceMs: number): void {
    icons.close()
    const left = upstream.stop(graceMs).finally(() => this.#leaving.delete(left))
    this.#leaving.add(left)
    if (!this.#members.has(upstream.name)) this.#watches.resume(upstream.name)
  }

  #offered(member: Member, at: number, offer: Offer): void {
    const { upstream, owns } = member
    owns[at] = offer
    member.own = upstream instanceof Replicas ? upstream.agree(agree([...owns], member.own)) : offer
    this.#tell(member)
  }

  #surveySession(member: Member, connection: Connection, key: string): SessionSurvey {
    const { log, clock, random } = this.#options
    let learned = () => {}
    const known = new Promise<void>((resolve) => {
      learned = resolve
    })
    const survey = startSurvey(connection, NOBODY_ASKS, {
      hop: this.#options.hop,
      upstream: member.upstream.name,
      known: member.own,
      offered: (offer) => {
        member.inSessions.set(key, offer)
        learned()
        this.#tell(member)
      },
      relistMs: this.#options.relistMs(),
      warn: member.warn,
      log,
      clock,
      random,
    })
    return {
      known,
      stop: () => {
        survey.stop()
        learned()
        if (member.inSessions.delete(key)) this.#tell(member)
      },
    }
  }

  #tell(member: Member): void {
    const offer = withSessions(member.own, member.inSessions.values())
    member.source = { ...member.source, offer: offer === undefined ? offer : member.icons.show(offer) }
    member.taskOnly = toTaskOnly(offer)
    if (this.#members.get(member.upstream.name) === member) this.#options.changed()
  }

  #stateChanged(member: Member): void {
    const { upstream } = member
    const { kind } = upstream.state
    if (kind !== 'starting' && kind !== 'stopped') member.settled = true
    if (upstream.connection !== member.connection) {
      member.connection = upstream.connection
      if (member.connection !== undefined) this.#watches.resume(upstream.name)
    }
    if (this.settled) for (const done of [...this.#waiters]) done()
    if (this.#members.get(upstream.name) === member) this.#options.stateChanged?.(upstream.name)
  }
}

function toTaskOnly(offer: Offer | undefined): ReadonlySet<string> {
  const tools = offer?.tools ?? []
  return new Set(tools.flatMap(({ name, execution }) => (isTaskOnly(execution) ? [String(name)] : [])))
}

function isTaskOnly(execution: unknown): boolean {
  return typeof execution === 'object' && (execution as JsonObject | null)?.taskSupport === 'required'
}

function isIn(offer: Offer | undefined, tool: string): boolean {
  return offer?.tools.some(({ name }) => name === tool) === true
}

/** How a session is doing shows on its calls. */
const NOBODY_ASKS: SurveyReport = { surveyed() {}, lost() {} }

/** One of the replicas of a server. */
interface Place {
  readonly at: number
  readonly keeper?: string
  readonly log: Log
}

/** The same log, which says of which replica a line is. */
function withReplica(log: Log, replica: string): Log {
  return {
    debug: (details, message) => log.debug({ replica, ...details }, message),
    info: (details, message) => log.info({ replica, ...details }, message),
    warn: (details, message) => log.warn({ replica, ...details }, message),
    error: (details, message) => log.error({ replica, ...details }, message),
  }
}

/** What the configuration says of how a server is listed. */
function toListing({ prefix, tools }: ServerConfig): Pick<Source, 'prefix' | 'offersTool'> {
  return { prefix, offersTool: toSelector(tools) }
}
