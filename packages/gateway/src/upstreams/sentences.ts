import { type ClientCapabilities, McpError, type Result } from '@crosspoint/mcp'
import type { ServerConfig } from '../config/model.ts'
import { shown } from '../shown.ts'
import { toRemedy, toSignInRemedy } from './explain.ts'
import type { UpstreamState } from './state.ts'

type Named = Pick<ServerConfig, 'name' | 'transport' | 'auth'>

/** What a model reads in place of a result. */
export function toToolError(text: string): Result {
  return { content: [{ type: 'text', text }], isError: true }
}

/**
 * Why a call cannot be sent, and what would help. Not with what words the server went: they may hold where it is, what
 * runs it and its secrets, and are for whoever reads the log.
 */
export function explainAbsence(config: Named, state: UpstreamState, since: string): string {
  const remedy = toRemedy(state, config, `"${config.name}"`)
  const what = state.kind === 'starting' ? 'is starting' : `is not available (${state.kind})`
  const next = state.kind === 'starting' ? ' Try again shortly.' : remedy === undefined ? '' : ` ${remedy}.`
  const why = 'delayMs' in state || state.kind === 'failed' ? ` ${LOGGED}.` : ''
  return `The server "${config.name}" ${what} since ${since}.${next}${why}`
}

/** What became of a call on the way. What went wrong is for the log, as above. */
export function explainFailure(config: Named, loss: 'gone' | 'sign-in', { code, neverRan }: McpError): string {
  const { name } = config
  if (loss === 'sign-in') return `The server "${name}" refused the gateway's credentials. ${toSignInRemedy(config)}.`
  if (code === 'upstream.unavailable') return `The server "${name}" could not be reached. Try again shortly. ${LOGGED}.`
  if (neverRan) return `The server "${name}" was lost before the call began: it was not made. Try again. ${LOGGED}.`
  return `The server "${name}" was lost during the call, whose outcome is unknown; check what it did before calling again. ${LOGGED}.`
}

export function explainBusy(name: string, retryAfterMs: number): string {
  return `The server "${name}" is too busy to take another call. Try again in ${Math.ceil(retryAfterMs / 1_000)} s.`
}

/** Why a tool does not work for clients that declare no more than this. */
export function explainGated(server: string, tool: string, capabilities: ClientCapabilities): string {
  const declared = Object.keys(capabilities)
  const what = declared.length === 0 ? 'nothing of that' : `only ${declared.join(', ')}`
  return `The server "${server}" offers the tool "${shown(tool)}" only to clients that it can ask something (elicitation, sampling or roots); this client declares ${what}.`
}

export function unusable(server: string): McpError {
  return new McpError('upstream.unavailable', `The session with "${server}" is closed`)
}

/** A server that did not answer in time, with the settings that say how long that is. */
export function toSilence(name: string, cause: McpError): McpError {
  const sentence = `The server "${name}" did not answer in time. "requestTimeoutMs" of "${name}" sets how long it may take without progress, "maxRequestMs" how long in all`
  return new McpError('upstream.timeout', sentence, { data: { kind: 'upstream_timeout', upstream: name }, cause })
}

/** What nobody who calls is there to answer. */
export function noCaller(method: string): McpError {
  const reason = 'no active client request'
  // The code is the one a refusal has in the examples of the specification (PROTOCOL §15.3).
  return new McpError('caller.unanswered', `Cannot answer "${method}": ${reason}`, { data: { code: -1, reason } })
}

const LOGGED = 'The log of the gateway says why'
