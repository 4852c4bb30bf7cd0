import { sql } from 'kysely'
import type { AuditRow } from '../contract/audit-store.ts'
import { checkRows, findFresh, type Head, toAuditTableRow } from '../sql/audit-rows.ts'
import type { Db } from '../sql/tables.ts'

/** Appends in one transaction; whoever appends to the same chain waits for it. */
export async function append(db: Db, rows: readonly AuditRow[]): Promise<void> {
  checkRows(rows)
  const [first] = rows
  const last = rows.at(-1)
  if (first === undefined || last === undefined) return
  await db.transaction().execute(async (writing) => {
    const head = await lockHead(writing, first.chain)
    const isOverlap = head !== undefined && first.seq <= head.last
    const kept = isOverlap ? await hashesOf(writing, first.chain, first.seq, last.seq) : []
    const fresh = findFresh(rows, head, new Map(kept.map(({ seq, hash }) => [seq, hash])))
    if (fresh.length === 0) return
    await insert(writing, fresh)
    const end = { last: last.seq, hash: last.hash }
    await writing.updateTable('audit_chains').set(end).where('chain', '=', last.chain).execute()
  })
}

async function lockHead(db: Db, chain: string): Promise<Head | undefined> {
  const empty = { chain, first: 1, last: 0, hash: '' }
  await db
    .insertInto('audit_chains')
    .values(empty)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const query = db.selectFrom('audit_chains').select(['last', 'hash']).where('chain', '=', chain).forUpdate()
  const head = await query.executeTakeFirstOrThrow()
  return head.last === 0 ? undefined : head
}

function hashesOf(db: Db, chain: string, from: number, to: number) {
  const query = db.selectFrom('audit_rows').select(['seq', 'hash']).where('chain', '=', chain)
  return query.where('seq', '>=', from).where('seq', '<=', to).execute()
}

/** As one text: many parameters would cost this process more than the rows. */
async function insert(db: Db, rows: readonly AuditRow[]): Promise<void> {
  const json = JSON.stringify(rows.map(toAuditTableRow))
  await sql`
    insert into audit_rows
      (chain, seq, at, previous, hash, record, tenant, principal, method, target, upstream, outcome, trace)
    select chain, seq, at, previous, hash, record, tenant, principal, method, target, upstream, outcome, trace
    from json_to_recordset(${json}::json) as row (
      chain text, seq bigint, at bigint, previous text, hash text, record text, tenant text, principal text,
      method text, target text, upstream text, outcome text, trace text)`.execute(db)
}
