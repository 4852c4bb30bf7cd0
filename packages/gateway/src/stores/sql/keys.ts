import { sql } from 'kysely'
import type { KeyRecord, KeyStore } from '../contract/key-store.ts'
import { StoreError } from '../contract/store-error.ts'
import { fromKeyRow, toKeyRow } from './key-rows.ts'
import type { Db, KeyRow } from './tables.ts'
import { checkKeepable, isKeepable } from './texts.ts'

type KeyChange = Parameters<KeyStore['change']>[1]

/** Keys in a database of either kind. */
export class SqlKeyStore implements KeyStore {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async add(key: KeyRecord): Promise<void> {
    const row = toKeyRow(key)
    await this.#db.transaction().execute(async (db) => {
      // Counted first: it is one row, so that whoever changes keys waits here for others, and meets none further on.
      await countUp(db)
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('api_keys')
        .values(row)
        .onConflict((conflict) => conflict.column('id').doNothing())
        .executeTakeFirstOrThrow()
      if (numInsertedOrUpdatedRows !== 1n)
        throw new StoreError('conflict', `Cannot add key "${key.id}": its id is taken`)
    })
  }

  async find(id: string): Promise<KeyRecord | undefined> {
    if (!isKeepable(id)) return undefined
    const row = await this.#db.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst()
    return row === undefined ? undefined : fromKeyRow(row)
  }

  async list({ tenant, after, limit }: Parameters<KeyStore['list']>[0]): Promise<readonly KeyRecord[]> {
    if (tenant !== undefined && !isKeepable(tenant)) return []
    let query = this.#db.selectFrom('api_keys').selectAll().orderBy('id').limit(limit)
    if (tenant !== undefined) query = query.where('tenant', '=', tenant)
    if (after !== undefined) query = query.where('id', '>', after)
    return (await query.execute()).map(fromKeyRow)
  }

  async change(id: string, change: KeyChange): Promise<KeyRecord | undefined> {
    const set = toColumns(change)
    if (!isKeepable(id) || Object.keys(set).length === 0) return this.find(id)
    const isUse = Object.keys(set).every((column) => column === 'used_at')
    return this.#db.transaction().execute(async (db) => {
      if (!isUse) await countUp(db)
      const row = await db.updateTable('api_keys').set(set).where('id', '=', id).returningAll().executeTakeFirst()
      return row === undefined ? undefined : fromKeyRow(row)
    })
  }

  async version(): Promise<number> {
    const { version } = await this.#db.selectFrom('api_keys_version').select('version').executeTakeFirstOrThrow()
    return version
  }
}

async function countUp(db: Db): Promise<void> {
  await db.updateTable('api_keys_version').set({ version: sql`version + 1` }).execute()
}

function toColumns(change: KeyChange): Partial<KeyRow> {
  checkKeepable('a change of a key', [change.label, change.replacedBy])
  return {
    ...(change.expiresAt !== undefined && { expires_at: change.expiresAt }),
    ...(change.revokedAt !== undefined && { revoked_at: change.revokedAt }),
    ...(change.replacedBy !== undefined && { replaced_by: change.replacedBy }),
    ...(change.usedAt !== undefined && { used_at: change.usedAt }),
    ...(change.label !== undefined && { label: change.label }),
  }
}
