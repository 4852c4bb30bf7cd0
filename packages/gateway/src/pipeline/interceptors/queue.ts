import type { Interceptor } from '@crosspoint/mcp'
import type { Passage } from '../../routes/passage.ts'
import type { Traffic } from '../../traffic/traffic.ts'

/** Lets so many calls go on at once. Undefined where nothing bounds them. */
export function queue(traffic: Traffic): Interceptor<Passage> | undefined {
  if (traffic.concurrency === undefined) return undefined
  return (next) => (call) => traffic.concurrency?.pass(call, next) ?? next(call)
}
