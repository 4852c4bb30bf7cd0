import { type Clock, type Handle, McpError, type Result } from '@crosspoint/mcp'
import type { CallClass, Per, TrafficConfig } from '../config/model-traffic.ts'
import type { Passage } from '../routes/passage.ts'
import { Gate, type GateBounds, type Shed } from './gate.ts'
import { toCallerKey, toThingKey } from './keys.ts'
import { type CallerTest, toMatch } from './match.ts'
import { PerTool } from './per-tool.ts'
import { refuse, toRefusal } from './refusal.ts'

interface Rule {
  readonly name: string
  readonly per: ReadonlySet<Per>
  readonly bounds: GateBounds
  readonly match: ReturnType<typeof toMatch>
  /** Those that anybody is in or waits for. */
  readonly gates: Map<string, Gate>
  /** How many were refused at gates that are gone. */
  shed: number
  /** How long was waited at those, in milliseconds. */
  waitedMs: number
}

/** What is known of a call by what it asks for. */
interface Fitting {
  readonly rules: readonly { readonly rule: Rule; readonly key: string }[]
  readonly priorities: readonly { readonly fitsCaller: CallerTest; readonly class: CallClass }[]
}

/** How many calls may be at work at once. The others wait in line, within bounds. */
export class Concurrency {
  readonly #clock: Clock
  readonly #rules: readonly Rule[]
  readonly #fitting: PerTool<Fitting>

  /** @param before whose gates go on, with those that are in */
  constructor({ concurrency, priorities }: TrafficConfig, clock: Clock, before: Concurrency | undefined) {
    this.#clock = clock
    this.#rules = concurrency.map((one) => toRule(one, before))
    const classes = priorities.map(({ match, class: given }) => ({ ...toMatch(match), class: given }))
    this.#fitting = new PerTool((asked) => ({
      rules: this.#rules
        .filter(({ match }) => match.fits(asked))
        .map((rule) => ({ rule, key: toThingKey(rule.per, asked) })),
      priorities: classes.filter(({ fits }) => fits(asked)),
    }))
  }

  /** Of each rule: how many are in, wait, and were refused. */
  get figures(): readonly {
    readonly name: string
    readonly inside: number
    readonly waiting: number
    readonly shed: number
    readonly waitedMs: number
  }[] {
    return this.#rules.map(({ name, gates, shed, waitedMs }) => {
      const open = [...gates.values()]
      const sum = (of: 'inside' | 'waiting' | 'shed' | 'waitedMs') => open.reduce((total, gate) => total + gate[of], 0)
      return {
        name,
        inside: sum('inside'),
        waiting: sum('waiting'),
        shed: shed + sum('shed'),
        waitedMs: waitedMs + sum('waitedMs'),
      }
    })
  }

  /** Gates of rules, for the rules that follow them. */
  get rules(): readonly Rule[] {
    return this.#rules
  }

  /** Passes a call on once there is room for it. */
  pass(call: Passage, next: Handle<Passage>): Promise<Result> {
    const { rules, priorities } = this.#fitting.of(call)
    const { principal } = call
    const own = rules.filter(({ rule }) => rule.match.fitsCaller?.(principal) ?? true)
    if (own.length === 0) return next(call)
    const found = priorities.find(({ fitsCaller }) => fitsCaller?.(principal) ?? true)
    return this.#through(own, found?.class ?? 'normal', call, next)
  }

  /** In the order of the rules, so that no two calls wait for each other. */
  async #through(own: Fitting['rules'], priority: CallClass, call: Passage, next: Handle<Passage>): Promise<Result> {
    const entered: (() => void)[] = []
    try {
      for (const { rule, key } of own) {
        const owner = `${call.principal.tenant.length}:${call.principal.tenant}${call.principal.id}`
        const gateKey = key + toCallerKey(rule.per, call.principal)
        let gate = rule.gates.get(gateKey)
        if (gate === undefined) {
          gate = new Gate(rule.bounds, this.#clock)
          rule.gates.set(gateKey, gate)
        }
        const there = gate
        const shed = await enter(gate, { class: priority, owner, deadline: call.deadline }, call)
        if (shed !== undefined) {
          dismiss(rule, gateKey, gate)
          return refuse(call, toBusy(rule.name, shed))
        }
        const since = this.#clock.now()
        entered.push(() => {
          there.leave(this.#clock.now() - since)
          dismiss(rule, gateKey, there)
        })
      }
      return await next(call)
    } finally {
      for (const leave of entered.reverse()) leave()
    }
  }
}

/**
 * Waits until it is in, or it is clear that it will not be.
 * @throws {McpError} `caller.cancelled` for who goes away meanwhile
 */
function enter(
  gate: Gate,
  request: Parameters<Gate['enter']>[0],
  call: Passage,
): Shed | undefined | Promise<Shed | undefined> {
  const { cancellation } = call
  let settle: (shed: Shed | undefined) => void = () => {}
  const entered = gate.enter(request, (shed) => settle(shed))
  if (entered === 'in') return undefined
  if (typeof entered !== 'function') return entered
  return new Promise((resolve, reject) => {
    const watcher = {
      cancelled() {
        entered()
        reject(new McpError('caller.cancelled', 'The caller cancelled the request while it waited in line'))
      },
    }
    settle = (shed) => {
      cancellation.unwatch(watcher)
      resolve(shed)
    }
    if (cancellation.isCancelled) watcher.cancelled()
    else cancellation.watch(watcher)
  })
}

function dismiss(rule: Rule, key: string, gate: Gate): void {
  if (gate.inside > 0 || gate.waiting > 0 || rule.gates.get(key) !== gate) return
  rule.gates.delete(key)
  rule.shed += gate.shed
  rule.waitedMs += gate.waitedMs
}

function toRule(
  { name, per, match, max, queue }: TrafficConfig['concurrency'][number],
  before: Concurrency | undefined,
): Rule {
  const bounds = { max, maxWaiting: queue.max, maxWaitMs: queue.maxWaitMs }
  const old = before?.rules.find((rule) => rule.name === name)
  const gates = old?.gates ?? new Map<string, Gate>()
  for (const gate of gates.values()) {
    gate.bounds = bounds
    gate.admit()
  }
  return {
    name,
    per: new Set(per),
    bounds,
    match: toMatch(match),
    gates,
    shed: old?.shed ?? 0,
    waitedMs: old?.waitedMs ?? 0,
  }
}

function toBusy(name: string, { why, retryAfterMs }: Shed): McpError {
  return toRefusal(
    'policy.busy',
    `Too many calls are at work ("${name}"), and ${REASONS[why]}`,
    { limit: name },
    retryAfterMs,
  )
}

const REASONS: Readonly<Record<Shed['why'], string>> = {
  full: 'too many wait already',
  'too-late': 'this one would have waited too long',
  displaced: 'this one made room for another',
}
