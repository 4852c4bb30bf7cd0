import { type JsonObject, NO_PARAMS } from '../jsonrpc/frame.ts'
import { type Call, type Interim, NO_INTERIM } from '../protocol/call.ts'

/** A request on its way out. Every {@link Call} is one; `params` are those of the revision spoken. */
export type Outgoing = Pick<Call, 'method' | 'params' | 'meta' | 'signal' | 'deadline' | 'trace' | 'interim'>

/**
 * One request as JSON text. `_meta` is written here and nowhere else: what travels end to end, what this hop says
 * about itself, and what asks for progress (the token is the id: both are unique among what is in flight).
 * @param hop members of `_meta` that belong to this hop, as JSON text without braces; may be empty
 */
export function encodeOutgoing(id: number, outgoing: Outgoing, hop: string): string {
  const params = JSON.stringify(outgoing.params)
  const meta = encodeMeta(id, outgoing, hop)
  const head = `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(outgoing.method)},"params":`
  if (meta === '') return `${head}${params}}`
  return params === '{}' ? `${head}{"_meta":{${meta}}}}` : `${head}${params.slice(0, -1)},"_meta":{${meta}}}}`
}

function encodeMeta(id: number, outgoing: Outgoing, hop: string): string {
  let members = hop
  if (outgoing.interim.progress) members += `${members === '' ? '' : ','}"progressToken":${id}`
  const { trace } = outgoing
  if (trace !== undefined) {
    members += `${members === '' ? '' : ','}"traceparent":"00-${trace.traceId}-${trace.spanId}-${traceFlags(outgoing.meta)}"`
  }
  for (const key in outgoing.meta) {
    if (trace !== undefined && key === 'traceparent') continue
    const value = JSON.stringify(outgoing.meta[key])
    if (value !== undefined) members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${value}`
  }
  return members
}

/** The flags a caller's own trace context came with; sampled where there was none. */
function traceFlags(meta: JsonObject): string {
  const { traceparent } = meta
  return typeof traceparent === 'string' && /-[0-9a-f]{2}$/.test(traceparent) ? traceparent.slice(-2) : '01'
}

/** The way back of requests a connection makes for itself: opening, log level, subscriptions. */
export const HOP: Interim = Object.freeze({ ...NO_INTERIM })

const NEVER: AbortSignal = new AbortController().signal

/** A request of the connection itself. It belongs to no caller, and what it causes is nobody's to answer. */
export function toOutgoing(method: string, params: JsonObject, signal: AbortSignal = NEVER): Outgoing {
  return { method, params, meta: NO_PARAMS, signal, deadline: undefined, trace: undefined, interim: HOP }
}
