import type { Interceptor } from '@crosspoint/mcp'
import type { Passage } from '../../routes/passage.ts'
import type { Traffic } from '../../traffic/traffic.ts'

/** Leaves alone servers that fail too often. Undefined where none is watched. */
export function breaker(traffic: Traffic): Interceptor<Passage> | undefined {
  if (traffic.breakers === undefined) return undefined
  return (next) => (call) => traffic.breakers?.pass(call, next) ?? next(call)
}
