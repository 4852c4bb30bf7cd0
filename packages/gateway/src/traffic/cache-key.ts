import type { Passage } from '../routes/passage.ts'

/**
 * The same for calls that get the same answer, and never for those of two callers: who calls, as what, from which session,
 * with which abilities; and what of which server. Undefined for what cannot be given twice: an answer to a question, a call
 * that says more than that in its `_meta`, one that is too long.
 */
export function toCacheKey({ method, meta, principal, downstream, route }: Passage): string | undefined {
  if (route === undefined || route.asOwnTask === true) return undefined
  const { params, destination } = route
  if (params.requestState !== undefined || params.inputResponses !== undefined) return undefined
  for (const key of Object.keys(meta)) if (!TRACING.has(key)) return undefined
  const said = toCanonical(params)
  if (said.length > MAX_PARAMS) return undefined
  const { tenant, id, scopes } = principal
  const { session, revision, capabilities } = downstream
  const who = [tenant, id, scopes === undefined ? null : [...scopes].sort(), session ?? null, revision]
  return `${JSON.stringify([destination.name, method, ...who])}${toCanonical(capabilities)}${said}`
}

/** JSON with the keys of objects in one order. */
export function toCanonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(toCanonical).join()}]`
  // The keys are a peer's, and only read.
  const object = value as Readonly<Record<string, unknown>>
  const members = Object.keys(object)
    .sort()
    .filter((key) => object[key] !== undefined)
  return `{${members.map((key) => `${JSON.stringify(key)}:${toCanonical(object[key])}`).join()}}`
}

/** Says nothing about what is asked for. */
const TRACING: ReadonlySet<string> = new Set(['traceparent', 'tracestate', 'baggage'])
/** Characters. */
const MAX_PARAMS = 8 * 1024
