import { type Call, McpError, type Result } from '@crosspoint/mcp'
import type { ServerConfig } from '../config/model.ts'
import { toLoss, toRetryAfter } from './explain.ts'
import { explainAbsence, explainBusy, explainFailure, toSilence, toToolError } from './sentences.ts'
import type { UpstreamState } from './state.ts'

/**
 * Why a server is away.
 * @param since ISO 8601
 */
export function toAbsence(config: ServerConfig, state: UpstreamState, since: string): McpError {
  const data = { upstream: config.name, state: state.kind, since }
  return new McpError('upstream.unavailable', explainAbsence(config, state, since), { data })
}

/** The answer to a call whose server is away: a model gets words it can act on, everything else an error. */
export function answerAbsent({ method }: Call, absence: McpError): Result {
  if (method === 'tools/call') return toToolError(absence.message)
  throw absence
}

/**
 * The answer to a call that failed on the way, likewise.
 * @param suspect told where the server may be gone
 */
export function answerFailed(call: Call, config: ServerConfig, error: unknown, suspect: () => void): Result {
  const { name } = config
  if (call.cancellation.isCancelled) throw error
  if (error instanceof McpError && error.code === 'upstream.timeout') throw toSilence(name, error)
  const retryAfterMs = toRetryAfter(error)
  if (retryAfterMs !== undefined && call.method === 'tools/call') return toToolError(explainBusy(name, retryAfterMs))
  const loss = toLoss(error)
  if (loss === undefined) throw error
  suspect()
  if (call.method !== 'tools/call') throw error
  return toToolError(explainFailure(config, loss, error))
}
