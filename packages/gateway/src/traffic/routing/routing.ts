import { type Call, type Clock, type Handle, McpError, type Result } from '@crosspoint/mcp'
import type { Entry, Routed, RouteMember } from '../../catalog/catalog.ts'
import { beginConditions, parseCondition } from '../../conditions/condition.ts'
import { ClientFacts, type Facts, PrincipalFacts, ROUTE_FACTS } from '../../conditions/facts.ts'
import { Passage, type Permitted } from '../../routes/passage.ts'
import { failureBehind } from '../../upstreams/answers.ts'
import { Latency } from '../../upstreams/replicas/latency.ts'
import type { Breakers } from '../breakers.ts'
import { hasHint } from '../hints.ts'
import type { Limits } from '../limits.ts'
import { refuse } from '../refusal.ts'
import { watchInterim } from '../watched-interim.ts'
import { type Ranked, rank } from './rank.ts'

export interface RoutingNeeds {
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly breakers: () => Breakers | undefined
  readonly limits: () => Limits | undefined
}

/** What became of the calls of one tool behind a route. */
export interface RouteFigure {
  readonly route: string
  readonly tool: string
  readonly calls: number
  readonly failures: number
}

/** One tool behind a route, with what is known of it from its calls. */
class Way implements Ranked {
  readonly cost: number
  readonly weight: number
  readonly member: RouteMember
  readonly #record: Record
  readonly #now: number

  constructor(member: RouteMember, record: Record, now: number) {
    this.cost = member.config.cost
    this.weight = member.config.weight
    this.member = member
    this.#record = record
    this.#now = now
  }

  get pending(): number {
    return this.#record.pending
  }

  get latencyMs(): number | undefined {
    return this.#record.latency.at(this.#now)
  }
}

interface Record {
  readonly latency: Latency
  pending: number
  calls: number
  failures: number
}

type Outcome = { readonly result: Result } | { readonly error: unknown }

/**
 * Sends calls of a tool that several servers offer to one of them. What comes after that on the way sees a call of that
 * server's tool: rules, limits and breakers are those of whom is asked. Who is away, left alone or over a limit is passed over.
 */
export class Routing {
  readonly #needs: RoutingNeeds
  /** By route and tool: names of the configuration. */
  readonly #records = new Map<string, Map<string, Record>>()

  constructor(needs: RoutingNeeds) {
    this.#needs = needs
  }

  get figures(): readonly RouteFigure[] {
    return [...this.#records].flatMap(([route, records]) =>
      [...records].map(([tool, { calls, failures }]) => ({ route, tool, calls, failures })),
    )
  }

  async pass(call: Passage, routed: Routed, next: Handle<Passage>): Promise<Result> {
    const way = this.#begun(call, routed)
    const ways = way === undefined ? this.#waysOf(call, routed) : [way]
    let last: Outcome | undefined
    for (const { member } of ways) {
      const inner = toInner(call, member)
      const { hasTold, outcome } = await this.#ask(inner, routed, member, next)
      call.via = member.entry
      call.route = inner.route
      call.refusal = inner.refusal
      call.decision = inner.decision
      call.isFromCache = inner.isFromCache
      last = outcome
      if (hasTold || call.cancellation.isCancelled || !mayAskAnother(inner, member, outcome)) break
    }
    if (last === undefined) return refuse(call, nobody(routed))
    if ('error' in last) throw last.error
    const { requestState } = last.result
    if (typeof requestState !== 'string' || call.via === undefined) return last.result
    return { ...last.result, requestState: `${requestState}${MARK}${toMark(call.via)}` }
  }

  async #ask(call: Passage, routed: Routed, member: RouteMember, next: Handle<Passage>) {
    const { clock, limits } = this.#needs
    const record = this.#recordOf(routed, member)
    const { interim, wasUsed } = watchInterim(call.interim)
    call.interim = interim
    const start = clock.now()
    record.pending++
    record.calls++
    const outcome = await settled(async () => (await limits()?.count(call)) ?? next(call))
    record.pending--
    const failure = failureBehind('error' in outcome ? outcome.error : outcome.result)
    if (failure !== undefined) record.failures++
    if (call.refusal === undefined && failure?.neverRan !== true && !call.isFromCache) {
      record.latency.observe(clock.now() - start, clock.now())
    }
    return { outcome, hasTold: wasUsed() }
  }

  /** A call that waits for its caller waits where it began. */
  #begun({ params, permitted }: Passage, { members }: Routed): Pick<Way, 'member'> | undefined {
    const { requestState } = params
    if (typeof requestState !== 'string') return undefined
    const mark = requestState.slice(requestState.lastIndexOf(MARK) + 1)
    const member = members.find(({ entry }) => toMark(entry) === mark && isPermitted(entry, permitted))
    return member === undefined ? undefined : { member }
  }

  /** Those that this caller may use with these arguments, the best first; of those that are away one, to say so. */
  #waysOf(call: Passage, routed: Routed): readonly Pick<Way, 'member'>[] {
    const { clock, random } = this.#needs
    const facts = toFactsOf(call, clock)
    const fitting = routed.members.filter((member) => isPermitted(member.entry, call.permitted) && fits(member, facts))
    const there = fitting.filter(({ entry }) => this.#isThere(entry, call))
    const now = clock.now()
    const ways = there.map((member) => new Way(member, this.#recordOf(routed, member), now))
    if (ways.length > 0) return rank(ways, routed.config.by, random)
    return fitting.slice(0, 1).map((member) => ({ member }))
  }

  #isThere({ source: { destination } }: Entry, call: Call): boolean {
    return destination.canTake?.(call) !== false && this.#needs.breakers()?.isShut(destination.name) !== true
  }

  #recordOf({ config: { name } }: Routed, { entry }: RouteMember): Record {
    const records = this.#records.get(name) ?? new Map<string, Record>()
    this.#records.set(name, records)
    const known = records.get(entry.name)
    if (known !== undefined) return known
    const made = { latency: new Latency(), pending: 0, calls: 0, failures: 0 }
    records.set(entry.name, made)
    return made
  }
}

/** The same call of the tool of one server. */
function toInner(call: Passage, { entry }: RouteMember): Passage {
  const { view, permitted, params } = call
  const { requestState } = params
  const own = typeof requestState === 'string' ? { requestState: requestState.replace(/~[^~]*$/, '') } : undefined
  const named = { ...params, name: entry.name, ...own }
  const grant = permitted?.grant.behind
  const behind = permitted === undefined || grant === undefined ? undefined : { caller: permitted.caller, grant }
  return new Passage({ ...call, params: named }, view.behind ?? view, behind)
}

function isPermitted({ name }: Entry, permitted: Permitted | undefined): boolean {
  if (permitted === undefined) return true
  const verdict = permitted.grant.behind?.named('tools', name)
  return verdict?.shown === true || permitted.caller.permit.policy.dryRun
}

function fits({ config: { when } }: RouteMember, facts: Facts): boolean {
  if (when === undefined) return true
  beginConditions(facts)
  return parseCondition(when, ROUTE_FACTS).parts.every((part) => part.test(facts) === true)
}

function toFactsOf({ principal, permitted, view, params, downstream }: Passage, clock: Clock): Facts {
  const args = params.arguments
  return {
    principal: permitted?.caller.facts ?? new PrincipalFacts(principal),
    view: view.name ?? '',
    arguments: typeof args === 'object' && args !== null && !Array.isArray(args) ? { ...args } : {},
    client: new ClientFacts(downstream.client),
    now: new Date(clock.wallNow()),
  }
}

/** What certainly never ran may be asked of another; what may have run, where it changes nothing. */
function mayAskAnother({ refusal }: Passage, { entry }: RouteMember, outcome: Outcome): boolean {
  if (refusal !== undefined) return PASSED_OVER.has(refusal.code)
  const failure = failureBehind('error' in outcome ? outcome.error : outcome.result)
  if (failure === undefined) return false
  if (failure.neverRan) return true
  return LOST.has(failure.code) && hasHint(entry.item, 'readOnlyHint')
}

async function settled(run: () => Promise<Result>): Promise<Outcome> {
  try {
    return { result: await run() }
  } catch (error) {
    return { error }
  }
}

function nobody({ config: { name } }: Routed): McpError {
  return new McpError('caller.invalid_params', `No server behind the tool "${name}" takes this call`)
}

/** Names a tool in what its callers carry, and says nothing else of it. */
function toMark({ name }: Entry): string {
  let hash = 0x811c9dc5
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193) >>> 0
  return hash.toString(36)
}

const MARK = '~'
const PASSED_OVER: ReadonlySet<string> = new Set(['policy.limit', 'policy.busy', 'upstream.unavailable'])
const LOST: ReadonlySet<string> = new Set(['upstream.unavailable', 'upstream.closed'])
