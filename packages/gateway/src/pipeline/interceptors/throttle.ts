import type { Interceptor } from '@crosspoint/mcp'
import type { Passage } from '../../routes/passage.ts'
import { routedOf } from '../../routes/routed.ts'
import type { Traffic } from '../../traffic/traffic.ts'

/** Counts what is asked for, and answers what is too much. Undefined where nothing is limited. */
export function throttle(traffic: Traffic): Interceptor<Passage> | undefined {
  if (traffic.limits === undefined) return undefined
  return (next) => (call) => {
    const { limits } = traffic
    // What several servers offer counts as what of one of them it is: `route` counts it.
    if (limits === undefined || routedOf(call) !== undefined) return next(call)
    try {
      const answer = limits.count(call)
      if (answer === undefined) return next(call)
      return answer instanceof Promise ? answer.then((late) => late ?? next(call)) : Promise.resolve(answer)
    } catch (error) {
      return Promise.reject(error)
    }
  }
}
