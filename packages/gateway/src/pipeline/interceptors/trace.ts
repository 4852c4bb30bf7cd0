import type { Interceptor } from '@crosspoint/mcp'
import type { Passage } from '../../routes/passage.ts'

export interface TraceIds {
  /** 32 lower-case hex digits, at random. */
  traceId(): string
  /** 16 lower-case hex digits, at random. */
  spanId(): string
}

/** Joins the caller's trace (`traceparent` in `_meta`, W3C Trace Context) or begins one; every call has a span of its own. */
export function trace(ids: TraceIds): Interceptor<Passage> {
  return (next) => (call) => {
    const { traceparent } = call.meta
    const joined = typeof traceparent === 'string' && TRACEPARENT.test(traceparent)
    call.trace = { traceId: joined ? traceparent.slice(3, 35) : ids.traceId(), spanId: ids.spanId() }
    return next(call)
  }
}

/** Version 00; all-zero ids and version ff are invalid. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:$|-)/
