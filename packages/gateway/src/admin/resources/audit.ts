import { searchAll } from '../../audit/export.ts'
import { verifyAudit } from '../../audit/verify.ts'
import type { AuditQuery, AuditRow, AuditStore } from '../../stores/contract/audit-store.ts'
import type { AdminNeeds, Handlers } from '../needs.ts'
import { Problem } from '../problem.ts'

export function createAuditHandlers(needs: AdminNeeds): Pick<Handlers, 'searchAudit' | 'exportAudit' | 'verifyAudit'> {
  let isVerifying = false
  let exports = 0
  const stored = (): AuditStore => {
    if (needs.store.audit !== undefined && needs.gateway.config.audit !== undefined) return needs.store.audit
    throw new Problem('conflict', 'No evidence is kept', { hint: 'Write "audit: {}" into the configuration' })
  }
  return {
    searchAudit: async ({ query: { limit, cursor, ...filters } }) => {
      const rows = await stored().search({ ...toQuery(filters), ...toBefore(cursor), limit: limit + 1 })
      const shown = rows.slice(0, limit)
      const last = shown.at(-1)
      return { rows: shown.map(toRow), ...(rows.length > limit && last !== undefined ? { next: toCursor(last) } : {}) }
    },
    exportAudit: ({ query }, { record }) => {
      const store = stored()
      if (exports >= MAX_EXPORTS) throw new Problem('too_many', `${MAX_EXPORTS} exports are under way`)
      record('audit.exported')
      exports++
      return exported(store, toQuery(query), () => exports--)
    },
    verifyAudit: async ({ body: { chain } }) => {
      const store = stored()
      if (isVerifying) throw new Problem('too_many', 'The evidence is being read already', { retryAfterSeconds: 10 })
      isVerifying = true
      try {
        const options = { verifiers: needs.verifiers(), ...(chain === undefined ? {} : { chain }) }
        const chains = await verifyAudit(store, options)
        return { whole: chains.every(({ finding }) => finding === undefined), chains }
      } finally {
        isVerifying = false
      }
    },
  }
}

async function* exported(store: AuditStore, query: Omit<AuditQuery, 'limit'>, ended: () => void) {
  try {
    for await (const rows of searchAll(store, { ...query, limit: PAGE })) {
      yield rows.map(({ chain, seq, at, previous, hash, record }) => ({ chain, seq, at, previous, hash, record }))
    }
  } finally {
    ended()
  }
}

interface Filters {
  readonly [name: string]: string | undefined
}

function toQuery({ since, until, ...filters }: Filters): Omit<AuditQuery, 'limit'> {
  return {
    ...Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined)),
    ...(since === undefined ? {} : { since: Date.parse(since) }),
    ...(until === undefined ? {} : { until: Date.parse(until) }),
  }
}

function toRow({ chain, seq, at, previous, hash, record }: AuditRow) {
  return { chain, seq, at: new Date(at).toISOString(), previous, hash, record: toRecord(record) }
}

/** What was tampered with may be no JSON any more. */
function toRecord(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch {
    // said below
  }
  return { damaged: text.slice(0, 200) }
}

function toCursor({ at, seq, chain }: AuditRow): string {
  return `${at}.${seq}.${chain}`
}

function toBefore(cursor: string | undefined): Pick<AuditQuery, 'before'> {
  if (cursor === undefined) return {}
  const [, at, seq, chain] = /^(\d{1,16})\.(\d{1,16})\.([\w-]{1,128})$/.exec(cursor) ?? []
  if (chain === undefined) {
    throw new Problem('invalid_request', 'The cursor is not one of ours', { hint: 'Send `next` of the page before' })
  }
  return { before: { at: Number(at), seq: Number(seq), chain } }
}

const PAGE = 500
const MAX_EXPORTS = 4
