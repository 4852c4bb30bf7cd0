import {
  ANONYMOUS,
  type Call,
  type Clock,
  findRevision,
  type Handle,
  type Principal,
  type Result,
  type Timer,
  toTaskTag,
} from '@crosspoint/mcp'
import type { Connection } from '@crosspoint/mcp/client'
import type { Agreement } from '../../catalog/agreement.ts'
import type { Destination, Peer } from '../../catalog/catalog.ts'
import type { Offer } from '../../catalog/offer.ts'
import type { ServerConfig } from '../../config/model.ts'
import type { ReplicaConfig, ReplicasConfig } from '../../config/model-replicas.ts'
import { failureBehind } from '../answers.ts'
import { type Caller, toContext } from '../context.ts'
import { toRetryAfter } from '../explain.ts'
import type { Served } from '../served.ts'
import type { UpstreamState } from '../state.ts'
import type { Upstream } from '../upstream.ts'
import { choose } from './balance.ts'
import { toCommonState } from './common-state.ts'
import { Pins } from './pins.ts'
import { type Outcome, Replica, type ReplicaStatus } from './replica.ts'

/** Labels name what the configuration names. */
export interface ReplicaFigure {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface ReplicasOptions {
  readonly config: ServerConfig
  readonly replicas: ReplicasConfig
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  /** How long a session is kept that nobody uses, in milliseconds. */
  readonly idleMs: () => number
  /** @param keeper what it is called in what callers carry */
  readonly create: (config: ServerConfig, replica: ReplicaConfig, keeper: string, at: number) => Upstream
}

/**
 * Several addresses, or processes, of one server, which is one for everybody else. Each call goes to one of them that is
 * well; what callers carry (tasks, states of calls that wait), and sessions that hold something, lead back to where they were
 * made. What certainly never ran goes to another at once.
 */
export class Replicas implements Served {
  readonly name: string
  readonly handle: Handle
  readonly hold: Handle
  readonly keepers: ReadonlyMap<string, Destination>
  #config: ServerConfig
  readonly #options: ReplicasOptions
  readonly #all: readonly Replica[]
  readonly #marks: ReadonlyMap<string, Replica>
  readonly #pins = new Pins<Replica>()
  #check: Timer | undefined
  #failovers = 0

  constructor(options: ReplicasOptions) {
    const { config, replicas: settings, clock, create } = options
    this.name = config.name
    this.#config = config
    this.#options = options
    const keeperOf = ({ name }: ReplicaConfig) => `${config.name} ${name}`
    this.#all = settings.members.map((member, at) => {
      const upstream = create(toReplicaConfig(config, member), member, keeperOf(member), at)
      return new Replica({ config: member, upstream, settings, clock })
    })
    this.handle = (call) => this.#pass(call, false)
    this.hold = (call) => this.#pass(call, true)
    const marks = settings.members.map((member) => toTaskTag(keeperOf(member)))
    this.#marks = new Map(this.#all.map((replica, at) => [marks[at] ?? '', replica]))
    this.keepers = new Map(
      [...this.#marks].map(([mark, { upstream }]) => [
        mark,
        { name: this.name, handle: upstream.handle, hold: upstream.hold },
      ]),
    )
  }

  get config(): ServerConfig {
    return this.#config
  }

  /** Counts for whoever reads metrics. */
  get figures(): readonly ReplicaFigure[] {
    const upstream = this.name
    return [
      { name: 'replica_failovers', labels: { upstream }, value: this.#failovers },
      ...this.#all.flatMap(({ name: replica, calls, failures, pending, isLeftAlone }) => {
        const labels = { upstream, replica }
        return [
          { name: 'replica_calls', labels, value: calls },
          { name: 'replica_failures', labels, value: failures },
          { name: 'replica_pending', labels, value: pending },
          { name: 'replica_left_alone', labels, value: isLeftAlone ? 1 : 0 },
        ]
      }),
    ]
  }

  get state(): UpstreamState {
    return toCommonState(this.#all)
  }

  get since(): string {
    return this.#leading.upstream.since
  }

  get restarts(): number {
    return this.#all.reduce((sum, { upstream }) => sum + upstream.restarts, 0)
  }

  get revision(): string | undefined {
    return this.#leading.upstream.revision
  }

  get serverInfo() {
    return this.#leading.upstream.serverInfo
  }

  get remedy(): string | undefined {
    return this.#all.find(({ upstream }) => upstream.remedy !== undefined)?.upstream.remedy
  }

  /** Takes what they offer together, and how each differs from it. */
  agree({ offer, differences }: Agreement): Offer | undefined {
    for (const [at, replica] of this.#all.entries()) {
      const { named = [], lacks = new Set<string>() } = differences[at] ?? {}
      replica.differs = named
      replica.lacks = lacks
    }
    return offer
  }

  get peer(): Peer {
    return this.#leading.upstream.peer
  }

  get connection(): Connection | undefined {
    return this.#leading.upstream.connection
  }

  get replicas(): readonly ReplicaStatus[] {
    return this.#all.map(({ status }) => status)
  }

  start(): void {
    for (const { upstream } of this.#all) upstream.start()
    if (this.config.enabled && this.#check === undefined) this.#rest()
  }

  retune(config: ServerConfig): void {
    this.#config = config
    for (const [at, { upstream }] of this.#all.entries()) {
      const member = this.#options.replicas.members[at]
      if (member !== undefined) upstream.retune(toReplicaConfig(config, member))
    }
  }

  callerEnded(downstream: string): void {
    for (const { upstream } of this.#all) upstream.callerEnded(downstream)
  }

  credentialOf(principal: Principal): string | undefined {
    return this.#leading.upstream.credentialOf(principal)
  }

  credentialChanged(principal: Principal | undefined): void {
    for (const { upstream } of this.#all) upstream.credentialChanged(principal)
  }

  rootsChanged(caller: Caller): void {
    for (const { upstream } of this.#all) upstream.rootsChanged(caller)
  }

  async stop(graceMs: number): Promise<void> {
    this.#check?.cancel()
    await Promise.all(this.#all.map(({ upstream }) => upstream.stop(graceMs)))
  }

  canTake(call: Call): boolean {
    return this.#all.some(({ upstream }) => upstream.canTake(call))
  }

  /** The first that is there, or the first. */
  get #leading(): Replica {
    const [first] = this.#all
    if (first === undefined) throw new RangeError(`There are no replicas of "${this.name}"`)
    return this.#all.find(({ upstream }) => upstream.connection !== undefined) ?? first
  }

  async #pass(call: Call, isHeld: boolean): Promise<Result> {
    const { requestState } = call.params
    if (typeof requestState === 'string') return this.#goOn(call, requestState, isHeld)
    const key = this.#keyOf(call)
    const pinned = key === undefined ? undefined : this.#pinnedTo(key, call)
    let chosen = pinned ?? this.#choose(call, NONE)
    const tried = new Set<Replica>()
    for (;;) {
      if (key !== undefined) this.#pins.set(key, chosen, this.#options.clock.now())
      const outcome = await chosen.pass(call, isHeld)
      tried.add(chosen)
      const next = this.#mayGoOn(call, outcome, pinned !== undefined) ? this.#another(call, tried) : undefined
      if (next === undefined) return this.#marked(outcome, chosen)
      this.#failovers++
      chosen = next
    }
  }

  /** A call that waits for its caller waits where it began. */
  async #goOn(call: Call, state: string, isHeld: boolean): Promise<Result> {
    const at = state.lastIndexOf(MARK)
    const keeper = this.#marks.get(state.slice(at + 1)) ?? this.#leading
    const params = { ...call.params, requestState: at === -1 ? state : state.slice(0, at) }
    return this.#marked(await keeper.pass({ ...call, params }, isHeld), keeper)
  }

  #marked(outcome: Outcome, replica: Replica): Result {
    if ('error' in outcome) throw outcome.error
    const { requestState } = outcome.result
    if (typeof requestState !== 'string') return outcome.result
    const [mark = ''] = [...this.#marks].find(([, one]) => one === replica) ?? []
    return { ...outcome.result, requestState: `${requestState}${MARK}${mark}` }
  }

  /** Whether another may be asked: what was asked has certainly not begun, and somebody waits for it. */
  #mayGoOn(call: Call, outcome: Outcome, isPinned: boolean): boolean {
    const failure = failureBehind('error' in outcome ? outcome.error : outcome.result)
    if (failure?.neverRan !== true || call.cancellation.isCancelled) return false
    // Who is too busy has not lost the session that the call is for.
    return !isPinned || toRetryAfter(failure) === undefined
  }

  #another(call: Call, tried: ReadonlySet<Replica>): Replica | undefined {
    const isThere = this.#all.some((replica) => !tried.has(replica) && replica.upstream.canTake(call))
    return isThere ? this.#choose(call, tried) : undefined
  }

  /** Those that are well before those that are left alone; where nobody is there, one that says so. */
  #choose(call: Call, tried: ReadonlySet<Replica>): Replica {
    const there = this.#all.filter((replica) => !tried.has(replica) && replica.upstream.canTake(call))
    if (there.length === 0) return this.#leading
    const tool = call.method === 'tools/call' ? String(call.params.name) : undefined
    const fit = tool === undefined ? there : orAll(there, ({ lacks }) => !lacks.has(tool))
    const well = orAll(fit, ({ isLeftAlone }) => !isLeftAlone)
    return choose(well, this.#options.replicas.balance, this.#options.random)
  }

  #pinnedTo(key: string, call: Call): Replica | undefined {
    const { clock, idleMs } = this.#options
    const found = this.#pins.find(key, clock.now(), idleMs())
    return found?.upstream.canTake(call) === true && !found.isLeftAlone ? found : undefined
  }

  /** Whose calls stay together; undefined where each may go anywhere. */
  #keyOf(call: Call): string | undefined {
    const { config, replicas } = this.#options
    if (replicas.sticky === 'never') return undefined
    const { revision } = this
    if (revision === undefined || findRevision(revision)?.traits.lifecycle !== 'handshake') return undefined
    const { key } = toContext(call, config.sessions, this.credentialOf(call.principal))
    const { principal, downstream } = call
    const isNobody = principal.id === ANONYMOUS.id && principal.tenant === ANONYMOUS.tenant
    // Nobody is told that all of them share a session: those who can be told apart are placed apart.
    return key !== undefined && isNobody && downstream.session !== undefined ? `${key} ${downstream.session}` : key
  }

  #rest(): void {
    const { clock, random, replicas } = this.#options
    if (replicas.checkMs === 0) return
    const delayMs = replicas.checkMs * (0.75 + 0.5 * random())
    this.#check = clock.setTimer(delayMs, () => {
      void Promise.all(this.#all.map((replica) => replica.check()))
      this.#rest()
    })
  }
}

function toReplicaConfig(config: ServerConfig, { transport }: ReplicaConfig): ServerConfig {
  return { ...config, transport }
}

/** Those that fit, or all where none does. */
function orAll(replicas: readonly Replica[], fits: (replica: Replica) => boolean): readonly Replica[] {
  const fitting = replicas.filter(fits)
  return fitting.length === 0 ? replicas : fitting
}

/** Stands between a state and where it leads. */
const MARK = '~'
const NONE: ReadonlySet<Replica> = new Set()
