import type { Result } from '@crosspoint/mcp'
import type { LimitConfig, Per, TrafficConfig } from '../config/model-traffic.ts'
import { toSelector } from '../config/selection.ts'
import type { Passage } from '../routes/passage.ts'
import { createCalendar, type Period } from './calendar.ts'
import type { Charge, Counters, Taken } from './counters.ts'
import { toCallerKey, toThingKey } from './keys.ts'
import { type AskedTest, type CallerTest, toMatch } from './match.ts'
import { PerTool } from './per-tool.ts'
import { refuse, toRefusal, UNCOUNTED } from './refusal.ts'
import type { Asked } from './target.ts'

/** A limit or a budget, ready to be held against calls. */
interface Bound {
  readonly name: string
  readonly kind: 'limit' | 'budget'
  readonly fits: AskedTest
  readonly fitsCaller: CallerTest
  readonly per: ReadonlySet<Per>
  readonly max: number
  readonly windowMs: number
  /** Where it follows the calendar. */
  readonly calendar: ((now: number) => Period) | undefined
  /** What its counts are known by, with its name: others do not go on with them. */
  readonly window: string
  passed: number
  refused: number
}

/** What of a bound holds for one thing: all but the caller is known. */
interface Fitting {
  readonly bound: Bound
  readonly amount: number
  /** Up to the caller. */
  readonly key: string
}

interface BoundCharge extends Charge {
  readonly bound: Bound
}

/** How many calls there may be in a while, and how much they may cost. */
export class Limits {
  readonly #bounds: readonly Bound[]
  readonly #costOf: (asked: Asked) => number
  readonly #counters: Counters
  readonly #fitting = new PerTool((asked) => this.#toFitting(asked))

  readonly #wallNow: () => number

  /**
   * @param before whose figures go on
   * @param wallNow milliseconds since 1970
   */
  constructor(
    { limits, budgets, costs }: TrafficConfig,
    counters: Counters,
    before: Limits | undefined,
    wallNow: () => number,
  ) {
    this.#wallNow = wallNow
    this.#bounds = [
      ...limits.map((limit) => toBound('limit', limit, limit.calls, before)),
      ...budgets.map((budget) => toBound('budget', budget, budget.cost, before)),
    ]
    const prices = costs.map(({ tools, cost }) => ({ isMeant: toSelector({ include: tools }), cost }))
    this.#costOf = ({ thing }) =>
      (thing === undefined ? undefined : prices.find(({ isMeant }) => isMeant(thing))?.cost) ?? 1
    this.#counters = counters
  }

  /** What passed each bound and what it refused. */
  get figures(): readonly Readonly<Pick<Bound, 'name' | 'kind' | 'passed' | 'refused'>>[] {
    return this.#bounds
  }

  /**
   * Counts a call. Undefined where it may go on; else what a model is told in place of its answer.
   * @throws {McpError} `policy.limit` for what is no call of a tool
   */
  count(call: Passage): Result | undefined | Promise<Result | undefined> {
    const charges: BoundCharge[] = []
    for (const { bound, amount, key } of this.#fitting.of(call)) {
      if (bound.fitsCaller !== undefined && !bound.fitsCaller(call.principal)) continue
      const own = key + toCallerKey(bound.per, call.principal)
      const { max, windowMs } = bound
      if (bound.calendar === undefined) charges.push({ key: own, amount, max, windowMs, bound })
      else charges.push(this.#toDated(bound, bound.calendar, own, amount))
    }
    if (charges.length === 0) return undefined
    const taken = this.#counters.take(charges)
    if (taken instanceof Promise) return taken.then((late) => tell(call, charges, late))
    return tell(call, charges, taken)
  }

  #toDated(bound: Bound, calendar: (now: number) => Period, own: string, amount: number): BoundCharge {
    const now = this.#wallNow()
    const { start, end } = calendar(now)
    const key = `${start}:${own}`
    return { key, amount, max: bound.max, windowMs: end - start, leftMs: end - now, bound }
  }

  #toFitting(asked: Asked): readonly Fitting[] {
    return this.#bounds.flatMap((bound) => {
      if (!bound.fits(asked)) return []
      const amount = bound.kind === 'budget' ? this.#costOf(asked) : 1
      return amount === 0
        ? []
        : [{ bound, amount, key: `${bound.name}/${bound.window}/${toThingKey(bound.per, asked)}` }]
    })
  }
}

function tell(call: Passage, charges: readonly BoundCharge[], taken: Taken): Result | undefined {
  if (taken.isTaken) {
    for (const { bound } of charges) bound.passed++
    return undefined
  }
  const bound = charges[taken.at]?.bound
  if (bound === undefined) return undefined // no driver names what it was not given
  bound.refused++
  const { name, kind, per } = bound
  if (taken.isAway) return refuse(call, toRefusal('policy.busy', UNCOUNTED, { limit: name }, taken.retryAfterMs))
  const whose = per.has('principal') ? 'of this caller' : 'of all callers together'
  const sentence = `The ${kind} "${name}" ${whose} is ${kind === 'budget' ? 'used up' : 'reached'}`
  return refuse(call, toRefusal('policy.limit', sentence, { limit: name }, taken.retryAfterMs))
}

function toBound(
  kind: Bound['kind'],
  { name, per, match, windowMs = 0, every, timezone = 'UTC' }: Omit<LimitConfig, 'calls'>,
  max: number,
  before: Limits | undefined,
): Bound {
  const { passed = 0, refused = 0 } = before?.figures.find((old) => old.name === name) ?? {}
  const calendar = every === undefined ? undefined : createCalendar(every, timezone)
  const window = every === undefined ? `${windowMs}` : `${every} ${timezone}`
  return { name, kind, ...toMatch(match), per: new Set(per), max, windowMs, calendar, window, passed, refused }
}
