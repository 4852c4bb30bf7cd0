import { sql } from 'kysely'
import type { AuditIndex, AuditQuery, AuditRow, AuditStore, Checkpoint } from '../contract/audit-store.ts'
import { fromAuditTableRow } from './audit-rows.ts'
import type { Db } from './tables.ts'
import { checkKeepable, isKeepable, toKept } from './texts.ts'

/** Evidence in a database of either kind, all but how it gets there. */
export class SqlAudit implements Omit<AuditStore, 'append' | 'forget'> {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async last(chain: string): Promise<AuditRow | undefined> {
    if (!isKeepable(chain)) return undefined
    const query = this.#db.selectFrom('audit_rows').selectAll().where('chain', '=', chain)
    const row = await query.orderBy('seq', 'desc').limit(1).executeTakeFirst()
    return row === undefined ? undefined : fromAuditTableRow(row)
  }

  chains(): ReturnType<AuditStore['chains']> {
    return this.#db.selectFrom('audit_chains').select(['chain', 'first', 'last']).orderBy('chain').execute()
  }

  async read(chain: string, { from, limit }: Parameters<AuditStore['read']>[1]): Promise<readonly AuditRow[]> {
    if (!isKeepable(chain)) return []
    const query = this.#db.selectFrom('audit_rows').selectAll().where('chain', '=', chain).where('seq', '>=', from)
    return (await query.orderBy('seq').limit(limit).execute()).map(fromAuditTableRow)
  }

  async search(query: AuditQuery): Promise<readonly AuditRow[]> {
    const { since, until, before, limit } = query
    let rows = this.#db
      .selectFrom('audit_rows')
      .selectAll()
      .orderBy('at', 'desc')
      .orderBy('chain', 'desc')
      .orderBy('seq', 'desc')
      .limit(limit)
    for (const column of INDEXED) {
      const value = query[column]
      if (value !== undefined) rows = rows.where(column, '=', toKept(value))
    }
    if (since !== undefined) rows = rows.where('at', '>=', since)
    if (until !== undefined) rows = rows.where('at', '<', until)
    if (before !== undefined) {
      checkKeepable('a place to search from', [before.chain])
      rows = rows.where(sql<boolean>`(at, chain, seq) < (${before.at}, ${before.chain}, ${before.seq})`)
    }
    return (await rows.execute()).map(fromAuditTableRow)
  }

  async addCheckpoint({ key, ...checkpoint }: Checkpoint): Promise<void> {
    checkKeepable('a checkpoint', [checkpoint.chain, checkpoint.hash, checkpoint.signature, key])
    await this.#db
      .insertInto('audit_checkpoints')
      .values({ ...checkpoint, signing_key: key })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }

  async checkpoints(chain: string): Promise<readonly Checkpoint[]> {
    if (!isKeepable(chain)) return []
    const query = this.#db.selectFrom('audit_checkpoints').selectAll().where('chain', '=', chain)
    const rows = await query.orderBy('seq').orderBy('at').orderBy('signing_key').execute()
    return rows.map(({ signing_key: key, seq, hash, at, signature }) => ({ chain, seq, hash, at, key, signature }))
  }

  /**
   * Forgets some of what is older than a time, of one chain, so that others need not wait for all of it.
   * @returns how many rows; undefined once there are no more
   */
  forgetSome(olderThan: number): Promise<number | undefined> {
    return this.#db.transaction().execute(async (db) => {
      const chain = await db
        .selectFrom('audit_chains as chain')
        .innerJoin('audit_rows as row', (join) =>
          join.onRef('row.chain', '=', 'chain.chain').onRef('row.seq', '=', 'chain.first'),
        )
        .select(['chain.chain as name', 'chain.first as first'])
        .where('row.at', '<', olderThan)
        .limit(1)
        .executeTakeFirst()
      if (chain === undefined) return undefined
      const { name, first } = chain
      const rows = await db
        .selectFrom('audit_rows')
        .select(['seq', 'at'])
        .where('chain', '=', name)
        .where('seq', '>=', first)
        .orderBy('seq')
        .limit(FORGOTTEN_AT_ONCE)
        .execute()
      const young = rows.findIndex(({ at }) => at >= olderThan)
      const count = young < 0 ? rows.length : young
      // Whoever forgets at the same time waits here, and finds nothing of this left to do.
      const next = first + count
      const claim = db
        .updateTable('audit_chains')
        .set({ first: next })
        .where('chain', '=', name)
        .where('first', '=', first)
      const { numUpdatedRows } = await claim.executeTakeFirstOrThrow()
      if (numUpdatedRows === 0n) return 0
      await db.deleteFrom('audit_rows').where('chain', '=', name).where('seq', '<', next).execute()
      await this.#forgetCheckpoints(db, name, next)
      return count
    })
  }

  /** All before the last one that is in what is forgotten. */
  async #forgetCheckpoints(db: Db, chain: string, next: number): Promise<void> {
    const past = db.selectFrom('audit_checkpoints').where('chain', '=', chain).where('seq', '<', next)
    const { last } = await past.select(({ fn }) => fn.max('seq').as('last')).executeTakeFirstOrThrow()
    if (last === null) return
    await db.deleteFrom('audit_checkpoints').where('chain', '=', chain).where('seq', '<', last).execute()
  }
}

/** @param forgetSome {@link SqlAudit.forgetSome} */
export async function forgetAll(forgetSome: () => Promise<number | undefined>): Promise<number> {
  let forgotten = 0
  for (let some: number | undefined = 0; some !== undefined; some = await forgetSome()) forgotten += some
  return forgotten
}

const FORGOTTEN_AT_ONCE = 2_000

const INDEXED = [
  'tenant',
  'principal',
  'method',
  'target',
  'upstream',
  'outcome',
  'trace',
] as const satisfies readonly (keyof AuditIndex)[]
