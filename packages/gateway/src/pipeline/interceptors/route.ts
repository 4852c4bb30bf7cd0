import { type Interceptor, McpError } from '@crosspoint/mcp'
import { verdictOf } from '../../policy/asked.ts'
import type { Passage } from '../../routes/passage.ts'
import { ROUTED } from '../../routes/resolve.ts'
import { routedOf } from '../../routes/routed.ts'
import { shown } from '../../shown.ts'
import type { Routing } from '../../traffic/routing/routing.ts'

/** Finds the server a call is for, and that server's own name for what is asked. */
export function route(routing?: Pick<Routing, 'pass'>): Interceptor<Passage> {
  return (next) => (call) => {
    if (!call.view.methods.has(call.method)) return Promise.reject(unknown(call.method))
    const resolve = ROUTED.get(call.method)
    if (resolve === undefined) return next(call)
    if (routing !== undefined && call.view.behind !== undefined) {
      const routed = routedOf(call)
      if (routed !== undefined) {
        // What is found out of one server is asked for as if nobody had asked for the other name.
        return routing.pass(call, routed, (inner) => {
          inner.route = resolve(inner.params, inner.view, inner)
          return next(inner)
        })
      }
    }
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
