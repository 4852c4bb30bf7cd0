import { type Interceptor, type JsonObject, McpError, type Result } from '@crosspoint/mcp'
import { beginConditions } from '../../conditions/condition.ts'
import { ClientFacts, type Told } from '../../conditions/facts.ts'
import type { Log } from '../../log.ts'
import { verdictOf } from '../../policy/asked.ts'
import { judge, type Waiting } from '../../policy/verdict.ts'
import type { Passage, Permitted } from '../../routes/passage.ts'

/**
 * Decides what only a call can tell: rules about arguments, time and what a client says of itself. What no rule lets its
 * caller use never comes here, as it was not found.
 */
export function authorize(log: Log, wallClock: () => number): Interceptor<Passage> {
  return (next) => (call) => {
    const { permitted, route } = call
    const verdict = permitted === undefined || route === undefined ? undefined : verdictOf(call, permitted.grant)
    if (permitted === undefined || verdict === undefined) return next(call)
    const { decision, waiting } = verdict
    call.decision = decision
    // What is completed is a name or an argument, which tells nothing of the thing: it is asked for with its arguments.
    if (waiting === undefined || call.method === 'completion/complete') return next(call)
    const facts = toCallFacts(call, permitted, waiting, wallClock)
    beginConditions(facts)
    const judged = judge(decision, waiting, facts)
    if (judged.failed.length > 0) {
      log.warn({ rules: judged.failed, trace: call.trace?.traceId }, 'A condition could not be told for a call')
    }
    call.decision = judged.decision
    return judged.decision.effect === 'allow' || judged.decision.dryRun ? next(call) : refuse(call, judged.message)
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
  }
}

/** A model can do something about its arguments, so a tool says so in a result; anything else has only an error. */
function refuse(call: Passage, message: string | undefined): Promise<Result> {
  const because = message ?? 'a rule of this gateway does not let you do this now, or not with these arguments'
  const error = new McpError('policy.denied', `Cannot use this: ${because}`)
  if (call.method === 'tools/call') {
    call.refusal = error
    return Promise.resolve({ content: [{ type: 'text', text: `Not permitted: ${because}` }], isError: true })
  }
  return Promise.reject(error)
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const NONE: JsonObject = Object.freeze({})
