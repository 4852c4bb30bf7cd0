import type { Interceptor } from '@crosspoint/mcp'
import type { Passage } from '../../routes/passage.ts'
import type { Traffic } from '../../traffic/traffic.ts'

/** Gives callers again what they were given before. Undefined where nothing is kept. */
export function cache(traffic: Traffic): Interceptor<Passage> | undefined {
  if (traffic.cache === undefined) return undefined
  return (next) => (call) => traffic.cache?.pass(call, next) ?? next(call)
}
