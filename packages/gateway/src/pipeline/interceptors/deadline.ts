import { type Clock, type Interceptor, McpError } from '@crosspoint/mcp'
import type { Passage } from '../../routes/passage.ts'

/**
 * Does not send a call whose time is over. While one is at work its edge keeps the caller's deadline and aborts its
 * signal, and the connection keeps the server's (`requestTimeoutMs` without progress).
 */
export function deadline(clock: Clock): Interceptor<Passage> {
  return (next) => (call) => {
    const { route, deadline } = call
    if (route === undefined || deadline === undefined || clock.now() < deadline) return next(call)
    const upstream = route.destination.name
    return Promise.reject(
      new McpError('upstream.timeout', `The time for this call was over before it could be sent to "${upstream}"`, {
        data: { kind: 'upstream_timeout', upstream },
      }),
    )
  }
}
