import { sql } from 'kysely'
import type { CounterStore, KeptCount } from '../contract/counter-store.ts'
import type { CountRow, Db } from './tables.ts'
import { fromKept, toKept } from './texts.ts'

/** Counts in a database of either kind. */
export class SqlCounterStore implements CounterStore {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async save(counts: readonly KeptCount[]): Promise<void> {
    if (counts.length === 0) return
    await this.#db.transaction().execute(async (db) => {
      for (let at = 0; at < counts.length; at += ROWS_AT_ONCE) {
        const values = counts.slice(at, at + ROWS_AT_ONCE).map(toRow)
        await db
          .insertInto('counts')
          .values(values)
          .onConflict((conflict) =>
            conflict.columns(['name', 'owner', 'part']).doUpdateSet((row) => ({
              amount: row.ref('excluded.amount'),
              window_ms: row.ref('excluded.window_ms'),
              expires_at: row.ref('excluded.expires_at'),
            })),
          )
          .execute()
      }
    })
  }

  async read({ now, after, limit }: Parameters<CounterStore['read']>[0]): Promise<readonly KeptCount[]> {
    let query = this.#db.selectFrom('counts').selectAll().where('expires_at', '>', now)
    if (after !== undefined) {
      query = query.where(sql<boolean>`(name, owner, part) > (${toKept(after.key)}, ${after.owner}, ${after.part})`)
    }
    const rows = await query.orderBy('name').orderBy('owner').orderBy('part').limit(limit).execute()
    return rows.map(fromRow)
  }

  async forget(now: number): Promise<void> {
    await this.#db.deleteFrom('counts').where('expires_at', '<=', now).execute()
  }
}

function toRow({ key, owner, part, amount, windowMs, expiresAt }: KeptCount): CountRow {
  return { name: toKept(key), owner, part, amount, window_ms: windowMs, expires_at: expiresAt }
}

function fromRow({ name, owner, part, amount, window_ms, expires_at }: CountRow): KeptCount {
  return { key: fromKept(name), owner, part, amount, windowMs: window_ms, expiresAt: expires_at }
}

/** Six values each, of which a statement takes 32,766 with SQLite. */
const ROWS_AT_ONCE = 500
