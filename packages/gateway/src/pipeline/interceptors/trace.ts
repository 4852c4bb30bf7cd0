import type { Interceptor } from '@crosspoint/mcp'
import type { Passage } from '../../routes/passage.ts'
import { parseTraceparent } from '../../telemetry/propagation.ts'
import { RECORDED, type Telemetry } from '../../telemetry/telemetry.ts'

export interface TraceIds {
  /** 32 lower-case hex digits, at random. */
  traceId(): string
  /** 16 lower-case hex digits, at random. */
  spanId(): string
}

/**
 * Joins the caller's trace (W3C Trace Context: `traceparent` in `_meta`, else the header of its request) or begins one; every
 * call has a span of its own, which is recorded where that is configured and this trace is chosen.
 */
export function trace(ids: TraceIds, telemetry?: Pick<Telemetry, 'tracer' | 'sessions'>): Interceptor<Passage> {
  return (next) => (call) => {
    const brought = parseTraceparent(call.meta.traceparent)
    const parent = brought ?? parseTraceparent(call.origin?.traceparent)
    const traceId = parent?.traceId ?? ids.traceId()
    const spanId = ids.spanId()
    const { session, revision } = call.downstream
    if (session !== undefined) telemetry?.sessions?.seen(session, revision)
    const tracer = telemetry?.tracer
    if (tracer === undefined) {
      // Its own flags are found where it goes on.
      call.trace = brought === parent ? { traceId, spanId } : { traceId, spanId, flags: parent?.flags }
      return next(call)
    }
    const flags = tracer.isSampled(traceId, parent) ? RECORDED : '00'
    const own = { traceId, spanId, flags }
    call.trace = own
    return flags === RECORDED ? tracer.serve(call, own, parent, next) : next(call)
  }
}
