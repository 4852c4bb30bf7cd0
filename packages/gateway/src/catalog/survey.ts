import {
  type Clock,
  findRevision,
  type Handle,
  hasCapability,
  hasTasks,
  type Interim,
  type JsonObject,
  McpError,
  NO_INTERIM,
  type ServerCapabilities,
  type Timer,
} from '@crosspoint/mcp'
import type { Connection } from '@crosspoint/mcp/client'
import type { Log } from '../log.ts'
import { toLoss, toReason } from '../upstreams/explain.ts'
import { toDelay } from '../upstreams/state.ts'
import type { Survey, SurveyReport } from '../upstreams/upstream.ts'
import { type Coalescer, coalesce } from './coalesce.ts'
import type { Hop } from './hop.ts'
import { ALL_KINDS, hasKind, type Item, KINDS, type Kind } from './kinds.ts'
import { LIST_BOUNDS, type ListBounds, listAll, toOwnCall } from './listing.ts'
import type { Offer } from './offer.ts'
import { isRound } from './via.ts'

export interface SurveyOptions {
  /** This gateway, as its calls and its lists name it. */
  readonly hop: Pick<Hop, 'own' | 'mark'>
  readonly upstream: string
  /** What was known before, so that what did not change stays the same object. */
  readonly known: Offer | undefined
  /** Told what the server offers: once when all lists are in, then whenever one really changed. */
  readonly offered: (offer: Offer) => void
  /** Told what was mended, each time a list was read. */
  readonly warn: (warnings: readonly string[]) => void
  readonly log: Log
  readonly clock: Clock
  readonly random: () => number
  /**
   * How long a list holds of whose changes the server does not tell and of which it does not say how long it holds, in
   * milliseconds. Default 5 minutes.
   */
  readonly relistMs?: number
  /** Default {@link LIST_BOUNDS}. */
  readonly bounds?: ListBounds
}

/**
 * Learns what a connected server offers: listens for changes first, so that none is missed, then reads all lists.
 * A change re-reads that kind only, at most once a second. A list that fails is tried again with growing waits and
 * does not hold up the others.
 */
export function startSurvey(connection: Connection, report: SurveyReport, options: SurveyOptions): Survey {
  const survey = new OfferSurvey(connection, report, options)
  survey.begin()
  return survey
}

class OfferSurvey implements Survey {
  readonly #connection: Connection
  readonly #handle: Handle
  #capabilities: ServerCapabilities
  readonly #report: SurveyReport
  readonly #options: SurveyOptions
  readonly #stopping = new AbortController()
  /** Kinds the server declares. */
  readonly #kinds: readonly Kind[]
  readonly #items: Record<Kind, readonly Item[]>
  readonly #problems = new Map<Kind, string>()
  readonly #rereads: ReadonlyMap<Kind, Coalescer>
  readonly #timers = new Set<Timer>()
  /** When lists are read again of whose changes nobody tells. */
  readonly #expiries = new Map<Kind, Timer>()
  /** Kinds of whose changes the server said that it tells. */
  #told: readonly Kind[] = []
  #listFailures = 0
  #listenFailures = 0
  #isComplete = false

  constructor(connection: Connection, report: SurveyReport, options: SurveyOptions) {
    const { known, clock, hop } = options
    this.#connection = connection
    this.#capabilities = connection.capabilities
    this.#handle = (call) => connection.handle({ ...call, meta: hop.own })
    this.#report = report
    this.#options = options
    this.#kinds = ALL_KINDS.filter((kind) => hasKind(connection.capabilities, kind))
    const before = (kind: Kind) => (this.#kinds.includes(kind) ? (known?.[kind] ?? []) : [])
    this.#items = {
      tools: before('tools'),
      resources: before('resources'),
      templates: before('templates'),
      prompts: before('prompts'),
      skills: before('skills'),
    }
    this.#rereads = new Map(
      this.#kinds.map((kind) => [kind, coalesce(clock, REREAD_MS, () => void this.#reread(kind))]),
    )
  }

  begin(): void {
    void this.#listen().then(() => this.#readAll())
  }

  check(): void {
    const [kind] = this.#kinds
    if (kind !== undefined) this.#rereads.get(kind)?.trigger()
  }

  stop(): void {
    this.#stopping.abort()
    for (const reread of this.#rereads.values()) reread.stop()
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    for (const expiry of this.#expiries.values()) expiry.cancel()
  }

  async #readAll(): Promise<void> {
    if (this.#isStopped) return
    const changes = await Promise.all(this.#kinds.map((kind) => this.#read(kind)))
    await this.#discover() // after the lists, so that it knows of all that is in them
    if (this.#isStopped) return
    const isFirst = !this.#isComplete
    this.#isComplete = true
    this.#publish(isFirst || changes.includes(true))
  }

  async #reread(kind: Kind): Promise<void> {
    if (!this.#isComplete) return
    const changed = await this.#read(kind)
    if (changed) await this.#discover()
    if (!this.#isStopped) this.#publish(changed)
  }

  /**
   * A server with other servers behind it may be able to do more than when it was connected to: asked again where its
   * revision lets us ask, when a list of its changed.
   */
  async #discover(): Promise<void> {
    if (findRevision(this.#connection.verdict.revision)?.traits.lifecycle !== 'envelope') return
    try {
      const { capabilities } = await this.#handle(toOwnCall('server/discover', {}, this.#stopping.signal))
      if (isObject(capabilities)) this.#capabilities = capabilities
    } catch {
      // What it said before holds.
    }
  }

  /** Reads one list. True when it differs from what was known. */
  async #read(kind: Kind): Promise<boolean> {
    const { bounds = LIST_BOUNDS } = this.#options
    const before = this.#items[kind]
    try {
      const {
        items: listed,
        problem,
        ttlMs,
        warnings,
      } = await listAll(this.#handle, kind, this.#stopping.signal, before, bounds)
      if (this.#isStopped) return false
      const items = listed.filter((item) => !isRound(item, this.#options.hop.mark))
      this.#expire(kind, ttlMs)
      if (warnings !== undefined) this.#options.warn(warnings)
      if (problem === undefined) this.#problems.delete(kind)
      else this.#problems.set(kind, `${KINDS[kind].method}: ${problem}`)
      this.#items[kind] = items
      return items.length !== before.length || items.some((item, at) => item !== before[at])
    } catch (error) {
      if (!this.#isStopped) this.#failed(kind, error)
      return false
    }
  }

  /** A list of whose changes nobody tells holds for as long as its server says, within reason. */
  #expire(kind: Kind, ttlMs = 0): void {
    this.#expiries.get(kind)?.cancel()
    this.#expiries.delete(kind)
    if (this.#told.includes(kind)) return
    const { clock, relistMs = RELIST_MS } = this.#options
    // Who says 0 says nothing about how often things change.
    const waitMs = ttlMs > 0 ? Math.max(MIN_RELIST_MS, Math.min(ttlMs, MAX_RELIST_MS)) : relistMs
    this.#expiries.set(
      kind,
      clock.setTimer(waitMs, () => this.#rereads.get(kind)?.trigger()),
    )
  }

  #failed(kind: Kind, error: unknown): void {
    const reason = toReason(error)
    const loss = toLoss(error)
    if (loss !== undefined) {
      this.#report.lost(loss, reason)
      return
    }
    this.#problems.set(kind, `${KINDS[kind].method} failed: ${reason}`)
    this.#later(++this.#listFailures, () => this.#rereads.get(kind)?.trigger())
  }

  #publish(changed: boolean): void {
    const { instructions, verdict } = this.#connection
    const capabilities = this.#capabilities
    if (this.#problems.size === 0) this.#listFailures = 0
    const saysTasks = findRevision(verdict.revision)?.traits.tasks === 'core' && hasTasks(capabilities)
    if (changed) this.#options.offered({ ...this.#items, capabilities, instructions, told: this.#told, saysTasks })
    this.#report.surveyed(this.#problems.size === 0 ? undefined : [...this.#problems.values()].join('; '))
  }

  /** Listens until the server ends it; resolves once listening began, or it is clear that it will not. */
  #listen(): Promise<void> {
    const notifications = this.#toFilter()
    if (notifications === undefined) return Promise.resolve()
    return new Promise((begun) => {
      const timer = this.#options.clock.setTimer(ACK_MS, begun)
      this.#timers.add(timer)
      const done = () => {
        timer.cancel()
        this.#timers.delete(timer)
        begun()
      }
      const notify: Interim['notify'] = ({ method, params }) => {
        if (method === ACKNOWLEDGED) {
          this.#listenFailures = 0
          this.#told = this.#toTold(params.notifications)
          done()
        }
        for (const [kind, reread] of this.#rereads) if (KINDS[kind].changed === method) reread.trigger()
      }
      const call = toOwnCall('subscriptions/listen', { notifications }, this.#stopping.signal, {
        ...NO_INTERIM,
        notify,
      })
      this.#handle(call)
        .then(
          () => this.#listenEnded(undefined),
          (error: unknown) => this.#listenEnded(error),
        )
        .finally(done)
    })
  }

  #toTold(acknowledged: unknown): readonly Kind[] {
    const flags = (acknowledged ?? {}) as JsonObject // what is none of the flags is not looked at
    return this.#kinds.filter((kind) => flags[KINDS[kind].flag] === true)
  }

  /** Undefined for a server that tells of nothing. */
  #toFilter(): Readonly<Record<string, true>> | undefined {
    const { capabilities } = this.#connection
    const told = this.#kinds.filter((kind) => hasCapability(capabilities, `${KINDS[kind].capability}.listChanged`))
    if (told.length === 0) return undefined
    return Object.fromEntries(told.map((kind) => [KINDS[kind].flag, true as const]))
  }

  /** What changed while nobody listened is found by reading all lists again. */
  #listenEnded(error: unknown): void {
    if (this.#isStopped) return
    this.#told = []
    if (error !== undefined && !mayComeBack(error)) {
      const { log, upstream } = this.#options
      log.info({ upstream, reason: toReason(error) }, 'Upstream does not tell of changes')
      return
    }
    this.#later(++this.#listenFailures, () => this.begin())
  }

  /** Tries again after a wait that grows with the failures in a row. */
  #later(failures: number, run: () => void): void {
    const { clock, random } = this.#options
    const timer = clock.setTimer(toDelay(failures, RETRY, random), () => {
      this.#timers.delete(timer)
      run()
    })
    this.#timers.add(timer)
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A server that cannot listen will not learn it; one that was not reached may. */
function mayComeBack(error: unknown): boolean {
  return toLoss(error) !== undefined || (error instanceof McpError && error.code === 'upstream.timeout')
}

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged'
/** A storm of changes costs one list a second and kind. */
const REREAD_MS = 1_000
const RELIST_MS = 5 * 60_000
/** A server that wants its list asked for more often than this is asked this often. */
const MIN_RELIST_MS = 10_000
const MAX_RELIST_MS = 24 * 60 * 60_000
/** How long the lists wait for the listener to be in place. */
const ACK_MS = 2_000
const RETRY = { minDelayMs: 1_000, maxDelayMs: 60_000 }
