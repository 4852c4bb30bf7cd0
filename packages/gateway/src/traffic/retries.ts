import type { Cancellation, Clock, Handle, Result } from '@crosspoint/mcp'
import type { RetryConfig } from '../config/model-traffic.ts'
import type { Passage } from '../routes/passage.ts'
import { failureBehind } from '../upstreams/answers.ts'
import { toRetryAfter } from '../upstreams/explain.ts'
import { toDelay } from '../upstreams/state.ts'
import { hasHint, itemOf } from './hints.ts'
import { toMatch } from './match.ts'
import { PerTool } from './per-tool.ts'
import { watchInterim } from './watched-interim.ts'

export interface RetryNeeds {
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  /** Whether a server is left alone. */
  readonly isLeftAlone: (server: string) => boolean
}

type Rule = RetryConfig & ReturnType<typeof toMatch>

/** Sends again what is safe to send twice, or was certainly never begun, where a rule says so. */
export class Retries {
  readonly #needs: RetryNeeds
  readonly #rules: PerTool<readonly Rule[]>
  #retried = 0

  constructor(configs: readonly RetryConfig[], needs: RetryNeeds) {
    this.#needs = needs
    const rules = configs.map((config): Rule => ({ ...config, ...toMatch(config.match) }))
    this.#rules = new PerTool((asked) => rules.filter(({ fits }) => fits(asked)))
  }

  /** How often something was sent again. */
  get retried(): number {
    return this.#retried
  }

  pass(call: Passage, next: Handle<Passage>): Promise<Result> {
    const rule = this.#rules.of(call).find(({ fitsCaller }) => fitsCaller?.(call.principal) ?? true)
    return rule === undefined ? next(call) : this.#attempt(rule, call, next)
  }

  async #attempt(rule: Rule, call: Passage, next: Handle<Passage>): Promise<Result> {
    const own = call.interim
    const canBeTwice = isSafe(call)
    for (let attempt = 1; ; attempt++) {
      const { interim, wasUsed } = watchInterim(own)
      call.interim = interim
      call.refusal = undefined
      const outcome = await settled(next(call))
      const delayMs =
        attempt < rule.attempts && !wasUsed() ? this.#delayOf(rule, attempt, call, canBeTwice, outcome) : undefined
      if (delayMs === undefined) return given(outcome)
      if (!(await this.#wait(delayMs, call.cancellation))) return given(outcome)
      this.#retried++
    }
  }

  /** Undefined where it is not to be sent again. */
  #delayOf(rule: Rule, attempt: number, call: Passage, canBeTwice: boolean, outcome: Outcome): number | undefined {
    const failure = failureBehind('error' in outcome ? outcome.error : outcome.result)
    if (!canBeTwice && failure?.neverRan !== true) return
    // Who waited until a server's time was over has waited long enough.
    if (failure === undefined || (failure.code !== 'upstream.unavailable' && failure.code !== 'upstream.closed')) return
    const { clock, random, isLeftAlone } = this.#needs
    if (call.cancellation.isCancelled || isLeftAlone(call.route?.destination.name ?? '')) return
    const delayMs = Math.max(toDelay(attempt, rule, random), toRetryAfter(failure) ?? 0)
    if (delayMs > rule.maxDelayMs) return
    return call.deadline !== undefined && clock.now() + delayMs >= call.deadline ? undefined : delayMs
  }

  /** Resolves to whether somebody still waits. */
  #wait(ms: number, cancellation: Cancellation): Promise<boolean> {
    return new Promise((resolve) => {
      const watcher = {
        cancelled() {
          timer.cancel()
          resolve(false)
        },
      }
      const timer = this.#needs.clock.setTimer(ms, () => {
        cancellation.unwatch(watcher)
        resolve(true)
      })
      cancellation.watch(watcher)
    })
  }
}

type Outcome = { readonly result: Result } | { readonly error: unknown }

async function settled(answer: Promise<Result>): Promise<Outcome> {
  try {
    return { result: await answer }
  } catch (error) {
    return { error }
  }
}

function given(outcome: Outcome): Result {
  if ('error' in outcome) throw outcome.error
  return outcome.result
}

/** What may reach a server twice: what reads, and tools of which the server says that twice is as once. */
function isSafe(call: Passage): boolean {
  const { method, params } = call
  if (params.requestState !== undefined || params.inputResponses !== undefined) return false
  if (method !== 'tools/call') return READS.has(method)
  const item = itemOf(call)
  return hasHint(item, 'readOnlyHint') || hasHint(item, 'idempotentHint')
}

const READS: ReadonlySet<string> = new Set([
  'resources/read',
  'resources/directory/read',
  'prompts/get',
  'skills/get',
  'completion/complete',
])
