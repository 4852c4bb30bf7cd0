import type { JsonObject } from '@crosspoint/mcp'
import type { AuditQuery, AuditRow, AuditStore } from '../stores/contract/audit-store.ts'

/** All rows of a query, newest first, a page at a time; `limit` is the size of a page. */
export async function* searchAll(store: AuditStore, query: AuditQuery): AsyncGenerator<readonly AuditRow[]> {
  let before = query.before
  for (;;) {
    const rows = await store.search({ ...query, ...(before === undefined ? {} : { before }) })
    if (rows.length > 0) yield rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < query.limit) return
    before = { at: last.at, chain: last.chain, seq: last.seq }
  }
}

/** A row with all that its hash is made of, on one line; the record as the text that it is. */
export function toJsonLine({ chain, seq, at, previous, hash, record }: AuditRow): string {
  return JSON.stringify({ chain, seq, at, previous, hash, record })
}

/** Rows as OpenTelemetry log records: the body of a request in JSON (OTLP 1.x, `/v1/logs`). */
export function toOtlpLogs(rows: readonly AuditRow[], version: string): JsonObject {
  const attributes = [toAttribute('service.name', 'crosspoint'), toAttribute('service.version', version)]
  const logRecords = rows.map(toLogRecord)
  return {
    resourceLogs: [{ resource: { attributes }, scopeLogs: [{ scope: { name: 'crosspoint.audit' }, logRecords }] }],
  }
}

function toLogRecord({ chain, seq, at, hash, record, index }: AuditRow): JsonObject {
  const isFine = index.outcome === 'complete' || index.outcome === 'input_required'
  const known = {
    'crosspoint.audit.chain': chain,
    'crosspoint.audit.hash': hash,
    'crosspoint.tenant': index.tenant,
    'enduser.id': index.principal,
    'mcp.method.name': index.method,
    [TARGETS[index.method] ?? 'crosspoint.target']: index.target,
    'crosspoint.upstream': index.upstream,
    'error.type': isFine ? undefined : index.outcome.replace('tool-error', 'tool_error'),
  }
  const attributes = Object.entries(known).flatMap(([key, value]) =>
    value === undefined || value === '' ? [] : [toAttribute(key, value)],
  )
  return {
    timeUnixNano: `${at}000000`,
    severityNumber: isFine ? 9 : 13,
    severityText: isFine ? 'INFO' : 'WARN',
    eventName: 'crosspoint.audit',
    body: { stringValue: record },
    attributes: [...attributes, { key: 'crosspoint.audit.seq', value: { intValue: String(seq) } }],
    ...(index.trace === undefined ? {} : { traceId: index.trace }),
  }
}

/** What a target is called by the conventions for MCP. */
const TARGETS: Readonly<Record<string, string>> = {
  'tools/call': 'gen_ai.tool.name',
  'prompts/get': 'gen_ai.prompt.name',
  'resources/read': 'mcp.resource.uri',
}

function toAttribute(key: string, stringValue: string): JsonObject {
  return { key, value: { stringValue } }
}
