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

/** JSON with the keys of objects in one order; written as loops, since every call that may be kept takes it. */
export function toCanonical(value: unknown): string {
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  let text = ''
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) text += `${at === 0 ? '' : ','}${toCanonical(value[at])}`
    return `[${text}]`
  }
  // The keys are a peer's, and only read.
  const object = value as Readonly<Record<string, unknown>>
  const keys = Object.keys(object)
  if (keys.length > 1) keys.sort()
  for (const key of keys) {
    const member = object[key]
    if (member !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${toCanonical(member)}`
  }
  return `{${text}}`
}

/** Says nothing about what is asked for. */
const TRACING: ReadonlySet<string> = new Set(['traceparent', 'tracestate', 'baggage'])
/** Characters. */
const MAX_PARAMS = 8 * 1024
