import { type Call, McpError, type Result } from '@crosspoint/mcp'
import type { ServerConfig } from '../config/model.ts'
import { toLoss, toReason, toRetryAfter } from './explain.ts'
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

/** Whom else a failure on the way concerns. */
export interface Concerned {
  /** The server may be gone. */
  suspect(): void
  /** What went wrong, in words that may be no caller's to read. */
  tell(reason: string): void
}

/**
 * The answer to a call that failed on the way, likewise. Callers are told what it means for them: what went wrong may
 * name addresses, and quote what a process wrote as it died.
 */
export function answerFailed(call: Call, config: ServerConfig, error: unknown, { suspect, tell }: Concerned): Result {
  const { name } = config
  if (call.cancellation.isCancelled || !(error instanceof McpError) || error.rpc !== undefined) throw error
  if (error.code === 'upstream.timeout') {
    tell(toReason(error))
    throw marked(toSilence(name, error), error)
  }
  const isTool = call.method === 'tools/call'
  const retryAfterMs = toRetryAfter(error)
  if (retryAfterMs !== undefined && isTool) return marked(toToolError(explainBusy(name, retryAfterMs)), error)
  const loss = toLoss(error)
  if (loss === undefined) throw retryAfterMs === undefined ? error : marked(error, error)
  tell(toReason(error))
  suspect()
  const told = explainFailure(config, loss, error)
  if (isTool) return marked(toToolError(told), error)
  throw marked(new McpError(error.code, told, { data: error.data, cause: error }), error)
}

/**
 * What went wrong on the way, where an answer or an error is ours and says so; undefined for what a server answered, be it
 * an error, and for one that counts as away.
 */
export function failureBehind(outcome: unknown): McpError | undefined {
  return typeof outcome === 'object' && outcome !== null ? failures.get(outcome) : undefined
}

function marked<T extends object>(outcome: T, failure: McpError): T {
  failures.set(outcome, failure)
  return outcome
}

const failures = new WeakMap<object, McpError>()
