import { type AuditRow, type Store, searchAll } from '@crosspoint/gateway'
import type { AdminAnswer, AdminClient } from '@crosspoint/gateway/admin'
import type { ExitKind } from '../exit.ts'
import type { Io } from '../io.ts'
import type { AuditFilters } from '../options.ts'
import { asking, findRunning } from '../running.ts'
import { withStore } from '../store.ts'

/** Records, wherever they are asked for. */
export interface Evidence {
  /** Newest first, a page at a time. @param most how many, at the most. Default: all */
  pages(most?: number): AsyncIterable<readonly AuditRow[]>
}

/** Runs a command with the records of a gateway that runs, else with those of the store of the configuration. */
export async function withEvidence(
  io: Io,
  options: AuditFilters,
  run: (evidence: Evidence) => Promise<ExitKind>,
): Promise<ExitKind> {
  const client = await findRunning(io, options)
  if (client !== undefined) {
    return asking(() =>
      run({ pages: (most) => (most === undefined ? exported(client, options) : found(client, options, most)) }),
    )
  }
  return withStore(io, options, ({ audit }) => run({ pages: (most) => stored(audit, options, most) }))
}

async function* stored(audit: Store['audit'], options: AuditFilters, most = Number.POSITIVE_INFINITY) {
  let left = most
  for await (const rows of searchAll(audit, { ...toFilters(options), limit: Math.min(PAGE, most) })) {
    yield rows.slice(0, left)
    left -= rows.length
    if (left <= 0) return
  }
}

async function* found(client: AdminClient, options: AuditFilters, most: number) {
  let left = most
  let cursor: string | undefined
  do {
    const page = await client.searchAudit({ ...toQuery(options), limit: Math.min(1_000, left), cursor })
    yield page.rows.map(fromRow)
    left -= page.rows.length
    cursor = page.next
  } while (cursor !== undefined && left > 0)
}

async function* exported(client: AdminClient, options: AuditFilters) {
  let rows: AuditRow[] = []
  for await (const line of client.exportAudit(toQuery(options))) {
    if (rows.push({ ...line, index: toIndex(JSON.parse(line.record)) }) < PAGE) continue
    yield rows
    rows = []
  }
  if (rows.length > 0) yield rows
}

function fromRow({ at, record, ...row }: AdminAnswer<'searchAudit'>['rows'][number]): AuditRow {
  return { ...row, at: Date.parse(at), record: JSON.stringify(record), index: toIndex(record) }
}

/** What a record is searched by stands in it. */
function toIndex(record: Readonly<Record<string, unknown>>): AuditRow['index'] {
  const { tenant = '', principal = '', method = '', outcome = '', target, upstream, trace } = record
  const some = Object.entries({ target, upstream, trace }).filter(([, value]) => typeof value === 'string')
  return {
    tenant: String(tenant),
    principal: String(principal),
    method: String(method),
    outcome: String(outcome),
    ...Object.fromEntries(some),
  }
}

function toFilters({ tenant, principal, method, target, upstream, outcome, trace, since, until }: AuditFilters) {
  const all = { tenant, principal, method, target, upstream, outcome, trace, since, until }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

function toQuery({ since, until, ...options }: AuditFilters) {
  return {
    ...toFilters(options),
    ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
    ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
  }
}

const PAGE = 500
