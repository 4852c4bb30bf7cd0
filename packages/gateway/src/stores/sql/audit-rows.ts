import type { AuditRow } from '../contract/audit-store.ts'
import { StoreError } from '../contract/store-error.ts'
import type { AuditTableRow } from './tables.ts'
import { checkKeepable, fromKept, toKept } from './texts.ts'

export function toAuditTableRow({ chain, seq, at, previous, hash, record, index }: AuditRow): AuditTableRow {
  return {
    chain,
    seq,
    at,
    previous,
    hash,
    record,
    tenant: toKept(index.tenant),
    principal: toKept(index.principal),
    method: toKept(index.method),
    target: index.target === undefined ? null : toKept(index.target),
    upstream: index.upstream === undefined ? null : toKept(index.upstream),
    outcome: toKept(index.outcome),
    trace: index.trace === undefined ? null : toKept(index.trace),
  }
}

export function fromAuditTableRow(row: AuditTableRow): AuditRow {
  const { chain, seq, at, previous, hash, record } = row
  return {
    chain,
    seq,
    at,
    previous,
    hash,
    record,
    index: {
      tenant: fromKept(row.tenant),
      principal: fromKept(row.principal),
      method: fromKept(row.method),
      ...(row.target !== null && { target: fromKept(row.target) }),
      ...(row.upstream !== null && { upstream: fromKept(row.upstream) }),
      outcome: fromKept(row.outcome),
      ...(row.trace !== null && { trace: fromKept(row.trace) }),
    },
  }
}

/**
 * That rows are of one chain and follow one another, and would come back as they are.
 * @throws {StoreError} `invalid`
 */
export function checkRows(rows: readonly AuditRow[]): void {
  let before: AuditRow | undefined
  for (const row of rows) {
    checkKeepable('audit rows', [row.chain, row.previous, row.hash, row.record])
    const follows =
      before === undefined
        ? Number.isSafeInteger(row.seq) && row.seq >= 1
        : row.chain === before.chain && row.seq === before.seq + 1 && row.previous === before.hash
    if (!follows) throw new StoreError('invalid', 'Cannot keep audit rows: they do not follow one another')
    if (!Number.isSafeInteger(row.at))
      throw new StoreError('invalid', 'Cannot keep audit rows: a time is no whole number')
    before = row
  }
}

/** Where a chain ends. */
export interface Head {
  readonly last: number
  readonly hash: string
}

/**
 * Rows that are not kept yet.
 * @param hashes of the kept rows from the first of `rows` on, by `seq`; needed only where `rows` begin before the end
 * @throws {StoreError} `conflict` where they do not follow what is kept
 */
export function findFresh(
  rows: readonly AuditRow[],
  head: Head | undefined,
  hashes: ReadonlyMap<number, string>,
): readonly AuditRow[] {
  const last = head?.last ?? 0
  const known = rows.filter(({ seq }) => seq <= last)
  const fresh = rows.slice(known.length)
  const [first] = fresh
  const follows =
    first === undefined || (first.seq === last + 1 && (head === undefined || first.previous === head.hash))
  if (!follows || known.some(({ seq, hash }) => hashes.get(seq) !== hash)) {
    throw new StoreError('conflict', 'Cannot append audit rows: they do not follow the end of their chain')
  }
  return fresh
}

/** In the order of their table. */
export const AUDIT_COLUMNS = [
  'chain',
  'seq',
  'at',
  'previous',
  'hash',
  'record',
  'tenant',
  'principal',
  'method',
  'target',
  'upstream',
  'outcome',
  'trace',
] as const satisfies readonly (keyof AuditTableRow)[]
