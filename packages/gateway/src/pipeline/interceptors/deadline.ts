import { type Clock, type Interceptor, McpError } from '@crosspoint/mcp'
import type { Passage } from '../../routes/passage.ts'

/**
 * Bounds one attempt. A call whose time is over before it was sent is not sent; one that its server left unanswered
 * for `requestTimeoutMs` without progress (which the connection counts) fails with an error that says whose silence
 * it was.
 */
export function deadline(clock: Clock): Interceptor<Passage> {
  return (next) => (call) => {
    const { route, deadline } = call
    if (route === undefined) return next(call)
    const upstream = route.destination.name
    if (deadline !== undefined && clock.now() >= deadline) {
      return Promise.reject(
        toTimeout(`The time for this call was over before it could be sent to "${upstream}"`, upstream),
      )
    }
    return next(call).catch((error: unknown) => {
      if (!(error instanceof McpError) || error.code !== 'upstream.timeout') throw error
      throw toTimeout(
        `The server "${upstream}" did not answer in time: ${error.message}. "requestTimeoutMs" of "${upstream}" sets how long it may take`,
        upstream,
        error,
      )
    })
  }
}

function toTimeout(message: string, upstream: string, cause?: unknown): McpError {
  return new McpError('upstream.timeout', message, { data: { kind: 'upstream_timeout', upstream }, cause })
}
