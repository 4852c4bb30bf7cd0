import { type Interceptor, McpError } from '@crosspoint/mcp'
import { verdictOf } from '../../policy/asked.ts'
import type { Passage } from '../../routes/passage.ts'
import { ROUTED } from '../../routes/resolve.ts'
import { shown } from '../../shown.ts'

/** Finds the server a call is for, and that server's own name for what is asked. */
export function route(): Interceptor<Passage> {
  return (next) => (call) => {
    if (!call.view.methods.has(call.method)) return Promise.reject(unknown(call.method))
    const resolve = ROUTED.get(call.method)
    if (resolve === undefined) return next(call)
    try {
      call.route = resolve(call.params, call.view, call)
    } catch (error) {
      call.decision = call.permitted === undefined ? undefined : verdictOf(call, call.permitted.grant)?.decision
      return Promise.reject(error)
    }
    return next(call)
  }
}

/** A feature nobody announced is a method nobody has: callers are told the same. */
function unknown(method: string): McpError {
  return new McpError('caller.unknown_method', `There is no method "${shown(method)}" here`)
}
