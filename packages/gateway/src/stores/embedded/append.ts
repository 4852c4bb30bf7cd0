import type { AuditRow } from '../contract/audit-store.ts'
import { AUDIT_COLUMNS, checkRows, findFresh, type Head, toAuditTableRow } from '../sql/audit-rows.ts'
import type { Database } from './database.ts'
import { inTransaction } from './dialect.ts'

/** Appends in one transaction. By hand: this is where a store has to be quick. */
export function createAppend(database: Database): (rows: readonly AuditRow[]) => void {
  const headOf = database.prepare('select last, hash from audit_chains where chain = ?')
  const hashesOf = database.prepare('select seq, hash from audit_rows where chain = ? and seq >= ? and seq <= ?')
  const insert = database.prepare(
    `insert into audit_rows (${AUDIT_COLUMNS.join(', ')}) values (${AUDIT_COLUMNS.map(() => '?')})`,
  )
  const move = database.prepare(
    `insert into audit_chains (chain, first, last, hash) values (?, 1, ?, ?)
     on conflict (chain) do update set last = excluded.last, hash = excluded.hash`,
  )

  const append = (rows: readonly AuditRow[], first: AuditRow, last: AuditRow) => {
    // The statements name their columns.
    const head = headOf.get(first.chain) as Head | undefined
    const isOverlap = head !== undefined && first.seq <= head.last
    const kept = isOverlap ? (hashesOf.all(first.chain, first.seq, last.seq) as Pick<AuditRow, 'seq' | 'hash'>[]) : []
    const fresh = findFresh(rows, head, new Map(kept.map(({ seq, hash }) => [seq, hash])))
    for (const row of fresh) {
      const values = toAuditTableRow(row)
      insert.run(AUDIT_COLUMNS.map((column) => values[column]))
    }
    if (fresh.length > 0) move.run(last.chain, last.seq, last.hash)
  }
  return (rows) => {
    checkRows(rows)
    const [first] = rows
    const last = rows.at(-1)
    if (first !== undefined && last !== undefined) inTransaction(database, () => append(rows, first, last))
  }
}
