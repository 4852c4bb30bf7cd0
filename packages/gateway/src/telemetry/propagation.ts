import type { Meta } from '@crosspoint/mcp'

/** A span of somebody else, by W3C Trace Context. */
export interface Remote {
  readonly traceId: string
  readonly spanId: string
  /** Two hex digits. */
  readonly flags: string
}

/** Undefined for what is not well-formed: a trace begins anew then. All-zero ids and version ff are invalid. */
export function parseTraceparent(text: unknown): Remote | undefined {
  if (typeof text !== 'string' || !TRACEPARENT.test(text)) return undefined
  return { traceId: text.slice(3, 35), spanId: text.slice(36, 52), flags: text.slice(53, 55) }
}

export function isSampled({ flags }: Pick<Remote, 'flags'>): boolean {
  return (Number.parseInt(flags, 16) & 1) === 1
}

/** What goes with a trace where it is well-formed and no longer than it has to be. */
export function parseTracestate(text: unknown): string | undefined {
  return typeof text === 'string' && text.length <= MAX_TRACESTATE && TRACESTATE.test(text) ? text : undefined
}

/**
 * `_meta` as a server may have it: without `baggage`, unless it is passed on, and without a `tracestate` that nobody could read, or
 * that belongs to no trace.
 */
export function toOnwardMeta(meta: Meta, passesBaggage: boolean): Meta {
  const { baggage, tracestate } = meta
  if (baggage === undefined && tracestate === undefined) return meta
  const isKept = parseTracestate(tracestate) !== undefined && parseTraceparent(meta.traceparent) !== undefined
  const isPassed =
    passesBaggage && typeof baggage === 'string' && baggage.length <= MAX_BAGGAGE && BAGGAGE.test(baggage)
  const onward: Record<string, unknown> = Object.create(null)
  for (const [key, value] of Object.entries(meta)) {
    if ((key === 'tracestate' && !isKept) || (key === 'baggage' && !isPassed)) continue
    onward[key] = value
  }
  return onward
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:$|-)/
/** List members separated by commas; printable ASCII throughout (W3C Trace Context §3.3.1). */
const TRACESTATE =
  /^[a-z0-9][^\p{Cc}=,]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,256}(?:[ \t]*,[ \t]*[a-z0-9][^\p{Cc}=,]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,256}){0,31}$/u
/** As long as every one has to take (§3.3.1.5). */
const MAX_TRACESTATE = 512
/** W3C Baggage §3.3.2. */
const MAX_BAGGAGE = 8_192
const BAGGAGE = /^[\x20-\x7e\t]*$/
