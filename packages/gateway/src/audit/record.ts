import type { JsonObject, Result } from '@crosspoint/mcp'
import type { Passage } from '../routes/passage.ts'
import type { AuditIndex } from '../stores/contract/audit-store.ts'
import { toContent, toShape } from './arguments.ts'
import type { measureResult } from './result.ts'
import type { RecordSettings } from './settings.ts'
import { cleaned, quote, toTarget } from './text.ts'

/** Of what records say; `docs/audit-record.md` names every member. */
const RECORD_VERSION = 1

/** A record on its way to the store. */
export interface Entry {
  /** Milliseconds since 1970. */
  readonly at: number
  /** JSON text. */
  readonly record: string
  readonly index: AuditIndex
}

/** How a call ended. */
export interface Ended {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly ms: number
  readonly outcome: string
  /** Absent where it failed. */
  readonly result?: Result | undefined
}

export interface CallContext {
  readonly settings: RecordSettings
  /** Digest of the session, where the caller has one. */
  readonly session: string | undefined
  readonly measure: typeof measureResult
}

/** Something that happened and is no call: `session.opened`, `config.applied`. Holds no secret. */
export interface AuditEvent {
  readonly event: string
  readonly tenant?: string
  readonly principal?: string
  /** What it happened to: the id of a key, the name of a chain. */
  readonly target?: string
  /** Default `complete`. */
  readonly outcome?: string
  readonly about?: JsonObject
}

/** The record of a call: put together by hand, since this runs with each one. Members are always in this order. */
export function toCallEntry(call: Passage, ended: Ended, context: CallContext): Entry {
  const { downstream, view, route, trace } = call
  const { at, ms, outcome } = ended
  const index = toCallIndex(call, outcome)
  let text = `{"v":${RECORD_VERSION},"kind":"call","at":${Math.max(0, Math.round(at - ms))},"ms":${Math.round(ms * 100) / 100}`
  text += toCaller(call, index, context.session)
  text += `,"revision":${quote(downstream.revision)}`
  if (view.name !== undefined) text += `,"view":${quote(view.name)}`
  text += `,"method":${toJson(index.method)}`
  if (index.target !== undefined) text += `,"target":${toJson(index.target)}`
  if (route !== undefined) text += `,"upstream":${quote(route.destination.name)}${toNative(route.params)}`
  text += toArguments(call.params, context.settings, call.via?.name ?? index.target)
  text += toDecision(call)
  text += `,"outcome":${quote(outcome)}${toResult(ended.result, context)}`
  return { at, index, record: trace === undefined ? `${text}}` : `${text},"trace":"${trace.traceId}"}` }
}

export function toEventEntry(happened: AuditEvent, at: number): Entry {
  const { event, tenant = '', principal = '', target, outcome = 'complete', about } = happened
  const index = {
    tenant: cleaned(tenant, MAX_ID),
    principal: cleaned(principal, MAX_ID),
    method: event,
    ...(target === undefined ? {} : { target: cleaned(target, MAX_ID) }),
    outcome,
  }
  const record = JSON.stringify({
    v: RECORD_VERSION,
    kind: 'event',
    at,
    ...index,
    ...(about === undefined ? {} : { about }),
  })
  return { at, record, index }
}

/** What a store is searched by, of a record that was read again. */
export function toIndex(record: JsonObject): AuditIndex {
  const { tenant, principal, method, target, upstream, outcome, trace } = record
  // What is of another type there was not written here, and then differs from what the row says.
  return { tenant, principal, method, target, upstream, outcome, trace } as unknown as AuditIndex
}

/** In the very words of the record, so that one can be held against the other. */
function toCallIndex({ principal, params, method, route, trace }: Passage, outcome: string): AuditIndex {
  const target = toTarget(params)
  return {
    tenant: cleaned(principal.tenant, MAX_ID),
    principal: cleaned(principal.id, MAX_ID),
    method: cleaned(method),
    ...(target === undefined ? undefined : { target: cleaned(target, MAX_ID) }),
    ...(route === undefined ? undefined : { upstream: cleaned(route.destination.name) }),
    outcome,
    ...(trace === undefined ? undefined : { trace: trace.traceId }),
  }
}

function toCaller({ principal, downstream }: Passage, index: AuditIndex, session: string | undefined): string {
  const { client } = downstream
  let text = `,"tenant":${toJson(index.tenant)},"principal":${toJson(index.principal)}`
  const { attributes } = principal
  // As `identity/` says of whom it let in.
  if (typeof attributes?.key === 'string') text += `,"credential":{"kind":"key","id":${quote(attributes.key)}}`
  else if (attributes?.claims !== undefined) text += ',"credential":{"kind":"token"}'
  if (client !== undefined)
    text += `,"client":{"name":${quote(client.name)},"version":${quote(String(client.version))}}`
  return session === undefined ? text : `${text},"session":"${session}"`
}

/** The server's own name for what was asked. */
function toNative(params: Passage['params']): string {
  const native = toTarget(params)
  return native === undefined ? '' : `,"native":${quote(native, MAX_ID)}`
}

function toArguments(params: Passage['params'], settings: RecordSettings, target: string | undefined): string {
  const given = params.arguments
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return ''
  const { content, redaction } = settings.ruleFor(target)
  if (content === 'none') return ''
  if (content === 'full') {
    const text = toContent(given, redaction, settings.maxContentLength)
    if (text !== undefined) return `,"arguments":{"content":${text}}`
  }
  return `,"arguments":{"shape":${toShape(given, redaction)}}`
}

/** Written by `authorize`, where there are rules. */
function toDecision({ decision }: Passage): string {
  return decision === undefined ? '' : `,"decision":${JSON.stringify(decision)}`
}

function toResult(result: Result | undefined, { settings, measure }: CallContext): string {
  if (result === undefined || settings.results === 'none') return ''
  const { bytes, sha256 } = measure(result, settings.results)
  return sha256 === undefined ? `,"result":{"bytes":${bytes}}` : `,"result":{"bytes":${bytes},"sha256":"${sha256}"}`
}

/** Of text that is {@link cleaned}. */
function toJson(text: string): string {
  return quote(text, Number.POSITIVE_INFINITY)
}

/** Longer than any that is given out; a record has to tell callers apart. */
const MAX_ID = 1_024
