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
  const { session, revision, capabilities } = downstream
  const what = `${JSON.stringify(destination.name)} ${method} ${revision} ${session === undefined ? '' : JSON.stringify(session)}`
  return `${toCallerText(principal)}${what}${toCanonical(capabilities)}${said}`
}

/** Who calls, as what; made once for each that is let in. */
function toCallerText(principal: Passage['principal']): string {
  const known = callers.get(principal)
  if (known !== undefined) return known
  const { tenant, id, scopes } = principal
  const text = JSON.stringify([tenant, id, scopes === undefined ? null : [...scopes].sort()])
  callers.set(principal, text)
  return text
}

const callers = new WeakMap<Passage['principal'], string>()

/**
 * JSON with the keys of objects in one order; written as loops, since every call that may be kept takes it.
 * @param depth how deep it lies; what lies deep is not looked at twice
 */
export function toCanonical(value: unknown, depth = 0): string {
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  // Most are in that order as they came, and then this is the quickest writer there is.
  if (depth < MAX_LOOKS && isInOrder(value)) return JSON.stringify(value)
  let text = ''
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) text += `${at === 0 ? '' : ','}${toCanonical(value[at], depth + 1)}`
    return `[${text}]`
  }
  // The keys are a peer's, and only read.
  const object = value as Readonly<Record<string, unknown>>
  const keys = Object.keys(object)
  if (keys.length > 1) keys.sort()
  for (const key of keys) {
    const member = object[key]
    if (member !== undefined)
      text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${toCanonical(member, depth + 1)}`
  }
  return `{${text}}`
}

function isInOrder(value: object): boolean {
  let before: string | undefined
  for (const key in value) {
    if (!Object.hasOwn(value, key) || (before !== undefined && key < before && !Array.isArray(value))) return false
    before = key
    const member = (value as Readonly<Record<string, unknown>>)[key]
    if (typeof member === 'object' && member !== null && !isInOrder(member)) return false
  }
  return true
}

/** Says nothing about what is asked for. */
const TRACING: ReadonlySet<string> = new Set(['traceparent', 'tracestate', 'baggage'])
/** Characters. */
const MAX_PARAMS = 8 * 1024
/** The parameters, and what is in them: none is looked at more than three times. */
const MAX_LOOKS = 3
