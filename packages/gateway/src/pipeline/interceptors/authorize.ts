import { type Interceptor, type JsonObject, McpError, type Result } from '@crosspoint/mcp'
import { beginConditions } from '../../conditions/condition.ts'
import { ClientFacts, type Told } from '../../conditions/facts.ts'
import { ResultFacts } from '../../conditions/result-facts.ts'
import type { Log } from '../../log.ts'
import { verdictOf } from '../../policy/asked.ts'
import { HeldTasks } from '../../policy/held-tasks.ts'
import { type Judged, judge, judgeResult, type Pending, type Waiting } from '../../policy/verdict.ts'
import type { Passage, Permitted } from '../../routes/passage.ts'

/**
 * Decides what only a call can tell: rules about arguments, time and what a client says of itself; and when it is answered,
 * rules about the answer. What no rule lets its caller use never comes here, as it was not found.
 */
export function authorize(log: Log, wallClock: () => number): Interceptor<Passage> {
  const held = new HeldTasks()
  const warn = (call: Passage, { failed }: Judged) => {
    if (failed.length === 0) return
    log.warn({ rules: failed, trace: call.trace?.traceId }, 'A condition could not be told for a call')
  }
  const keepsBack = (call: Passage, checks: readonly Pending[], facts: Told): string | undefined => {
    beginConditions(facts)
    const judged = judgeResult(call.decision ?? UNDECIDED, checks, facts)
    warn(call, judged)
    call.decision = judged.decision
    const { effect, dryRun } = judged.decision
    return effect === 'allow' || dryRun ? undefined : (judged.message ?? KEPT_BACK)
  }
  const checked = async (
    call: Passage,
    checks: readonly Pending[],
    facts: Told | undefined,
    answer: Promise<Result>,
  ) => {
    const result = await answer
    if (result.resultType === 'task') held.add(call, result.taskId, { checks, facts })
    if (facts === undefined || (result.resultType ?? 'complete') !== 'complete') return result
    const why = keepsBack(call, checks, { ...facts, result: new ResultFacts(call.method, result) })
    return why === undefined ? result : withhold(call, why)
  }
  /** A task is asked for what a call would have answered. */
  const checkedTask = async (call: Passage, answer: Promise<Result>) => {
    const task = await answer
    if (typeof task.result !== 'object' || task.result === null) return task
    const of = held.find(call, call.params.taskId)
    if (of !== undefined && of.facts === undefined) return task
    const result = new ResultFacts('tools/call', task.result as Result) // what is in it is looked at
    const why = of?.facts === undefined ? UNTOLD : keepsBack(call, of.checks, { ...of.facts, result })
    return why === undefined ? task : { ...task, result: toKeptBack(call, why) }
  }
  return (next) => (call) => {
    const { permitted, route } = call
    if (permitted === undefined) return next(call)
    const { checksResults } = permitted.caller.permit.policy
    if (checksResults && call.method === 'tasks/get') return checkedTask(call, next(call))
    const verdict = route === undefined ? undefined : verdictOf(call, permitted.grant)
    if (verdict === undefined) return next(call)
    const { decision, waiting } = verdict
    call.decision = decision
    // What is completed is a name or an argument, which tells nothing of the thing: it is asked for with its arguments.
    if (call.method === 'completion/complete') return next(call)
    if (waiting === undefined) return checksResults ? checked(call, NO_CHECKS, undefined, next(call)) : next(call)
    const facts = toCallFacts(call, permitted, waiting, wallClock)
    beginConditions(facts)
    const judged = judge(decision, waiting, facts)
    warn(call, judged)
    call.decision = judged.decision
    const { effect, dryRun } = judged.decision
    if (effect === 'deny' && !dryRun) return refuse(call, judged.message)
    if (!checksResults) return next(call)
    const { checks } = waiting
    return checked(call, checks, checks.length === 0 ? undefined : facts, next(call))
  }
}

/** Written out: this runs with each call that a rule waits for, and a copy by `...` costs as much as the rule. */
function toCallFacts(
  { method, params, downstream, view }: Passage,
  { caller }: Permitted,
  { facts, reads }: Waiting,
  wallClock: () => number,
): Told {
  const { server, tool, prompt, resource } = facts
  return {
    principal: caller.facts,
    view: view.name ?? '',
    server,
    tool,
    prompt,
    resource,
    method,
    arguments: isObject(params.arguments) ? params.arguments : NONE,
    now: reads.has('now') ? new Date(wallClock()) : undefined,
    client: reads.has('client') ? new ClientFacts(downstream.client) : undefined,
    result: undefined,
  }
}

/** A model can do something about its arguments, so a tool says so in a result; anything else has only an error. */
function refuse(call: Passage, message: string | undefined): Promise<Result> {
  const because = message ?? 'a rule of this gateway does not let you do this now, or not with these arguments'
  const error = new McpError('policy.denied', `Cannot use this: ${because}`)
  if (call.method !== 'tools/call') return Promise.reject(error)
  call.refusal = error
  return Promise.resolve(toText(`Not permitted: ${because}`))
}

/** What was done is done: only the answer stays here. */
function withhold(call: Passage, because: string): Result {
  if (call.method !== 'tools/call') throw new McpError('policy.denied', `The answer is kept back: ${because}`)
  return toKeptBack(call, because)
}

function toKeptBack(call: Passage, because: string): Result {
  call.refusal = new McpError('policy.denied', `The answer is kept back: ${because}`)
  return toText(`The call was made, and its answer is kept back: ${because}`)
}

function toText(text: string): Result {
  return { content: [{ type: 'text', text }], isError: true }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const NONE: JsonObject = Object.freeze({})
const NO_CHECKS: readonly Pending[] = Object.freeze([])
const UNDECIDED = Object.freeze({ effect: 'allow', rule: undefined, dryRun: false } as const)
const KEPT_BACK = 'a rule of this gateway does not let it out'
const UNTOLD = 'it is not known any more which rules of this gateway it has to pass'
