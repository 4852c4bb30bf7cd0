import { type Clock, type Interceptor, McpError, type Result } from '@crosspoint/mcp'
import type { Log } from '../../log.ts'
import type { Passage } from '../../routes/passage.ts'
import { shown } from '../../shown.ts'

/**
 * One line per call, refused ones included: who asked what of whom through which view, how it ended and how long
 * it took. Never a value of an argument or of a result.
 */
export function audit(log: Log, clock: Clock): Interceptor<Passage> {
  return (next) => async (call) => {
    const start = clock.now()
    try {
      const result = await next(call)
      log.info(toRecord(call, toOutcome(result), clock.now() - start), 'call')
      return result
    } catch (error) {
      const outcome = error instanceof McpError ? error.code : 'internal.error'
      log.info(toRecord(call, outcome, clock.now() - start), 'call')
      if (outcome === 'internal.error') log.error({ trace: call.trace?.traceId, error }, 'A call failed inside')
      throw error
    }
  }
}

function toOutcome(result: Result): string {
  return result.isError === true ? 'tool-error' : (result.resultType ?? 'complete')
}

/** Members that are undefined are not written. */
function toRecord(call: Passage, outcome: string, ms: number): Readonly<Record<string, unknown>> {
  const { method, params, principal, downstream, view, route, trace } = call
  return {
    method: shown(method),
    target: toTarget(params),
    upstream: route?.destination.name,
    view: view.name,
    principal: principal.id,
    client: downstream.client === undefined ? undefined : shown(downstream.client.name),
    revision: downstream.revision,
    outcome: shown(outcome),
    ms: Math.round(ms * 100) / 100,
    trace: trace?.traceId,
  }
}

/** The tool, prompt or resource asked for. The query of a URI may hold anything and stays out. */
function toTarget({ name, uri }: Passage['params']): string | undefined {
  if (typeof name === 'string') return shown(name)
  return typeof uri === 'string' ? shown(uri.replace(/[?#].*$/s, '?…')) : undefined
}
