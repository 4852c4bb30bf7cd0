import { McpError, type Result } from '@crosspoint/mcp'
import type { ServerConfig } from '../config/model.ts'
import { toReason, toRemedy, toSignInRemedy } from './explain.ts'
import type { UpstreamState } from './state.ts'

type Named = Pick<ServerConfig, 'name' | 'transport'>

/** What a model reads in place of a result. */
export function toToolError(text: string): Result {
  return { content: [{ type: 'text', text }], isError: true }
}

/** Why a call cannot be sent, and what would help. */
export function explainAbsence(config: Named, state: UpstreamState, since: string): string {
  const reason = 'reason' in state && state.reason !== undefined ? `: ${state.reason}` : ''
  const remedy = toRemedy(state, config)
  const what = state.kind === 'starting' ? 'is starting' : `is not available (${state.kind})`
  const next = state.kind === 'starting' ? ' Try again shortly.' : remedy === undefined ? '' : ` ${remedy}.`
  return `The server "${config.name}" ${what} since ${since}${reason}.${next}`
}

/** What became of a call on the way. */
export function explainFailure(config: Named, loss: 'gone' | 'sign-in', error: unknown): string {
  const { name } = config
  const reason = toReason(error)
  if (loss === 'sign-in') {
    return `The server "${name}" refused the gateway's credentials: ${reason}. ${toSignInRemedy(config)}.`
  }
  if (error instanceof McpError && error.code === 'upstream.unavailable') {
    return `The server "${name}" could not be reached: ${reason}. Try again shortly.`
  }
  return `The connection to the server "${name}" was lost: ${reason}. The outcome of the call is unknown; check what it did before calling again.`
}

export function explainBusy(name: string, retryAfterMs: number): string {
  return `The server "${name}" is too busy to take another call. Try again in ${Math.ceil(retryAfterMs / 1_000)} s.`
}

/** A server that did not answer in time, with the settings that say how long that is. */
export function toSilence(name: string, cause: McpError): McpError {
  const sentence = `The server "${name}" did not answer in time: ${cause.message}. "requestTimeoutMs" of "${name}" sets how long it may take without progress, "maxRequestMs" how long in all`
  return new McpError('upstream.timeout', sentence, { data: { kind: 'upstream_timeout', upstream: name }, cause })
}

/** What nobody who calls is there to answer. */
export function noCaller(method: string): McpError {
  const reason = 'no active client request'
  // The code is the one a refusal has in the examples of the specification (PROTOCOL §15.3).
  return new McpError('caller.unanswered', `Cannot answer "${method}": ${reason}`, { data: { code: -1, reason } })
}
