import type { Interceptor } from '@crosspoint/mcp'
import type { Passage } from '../../routes/passage.ts'
import type { Traffic } from '../../traffic/traffic.ts'

/** Sends again what is safe to send twice. Undefined where nothing is. */
export function retry(traffic: Traffic): Interceptor<Passage> | undefined {
  if (traffic.retries === undefined) return undefined
  return (next) => (call) => traffic.retries?.pass(call, next) ?? next(call)
}
