import type { GrantRow, GrantStore } from '../contract/grant-store.ts'
import type { Db, GrantTableRow } from './tables.ts'
import { checkKeepable, isKeepable } from './texts.ts'

type Of = Parameters<GrantStore['revoke']>[0]

/** What the authorization server keeps, in a database of either kind. */
export class SqlGrantStore implements GrantStore {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async put(row: GrantRow): Promise<void> {
    const values = toTableRow(row)
    const { kind: _, id: __, consumed_at, ...rest } = values
    const changes = consumed_at === null ? rest : { ...rest, consumed_at }
    await this.#db
      .insertInto('grants')
      .values(values)
      .onConflict((conflict) => conflict.columns(['kind', 'id']).doUpdateSet(changes))
      .execute()
  }

  async add(row: GrantRow): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await this.#db
      .insertInto('grants')
      .values(toTableRow(row))
      .onConflict((conflict) => conflict.columns(['kind', 'id']).doNothing())
      .executeTakeFirstOrThrow()
    return numInsertedOrUpdatedRows === 1n
  }

  async find(kind: string, id: string): Promise<GrantRow | undefined> {
    if (!isKeepable(kind + id)) return undefined
    const row = await this.#all(kind).where('id', '=', id).executeTakeFirst()
    return row === undefined ? undefined : fromTableRow(row)
  }

  async findByUid(kind: string, uid: string): Promise<GrantRow | undefined> {
    if (!isKeepable(kind + uid)) return undefined
    const row = await this.#all(kind).where('uid', '=', uid).orderBy('created_at', 'desc').limit(1).executeTakeFirst()
    return row === undefined ? undefined : fromTableRow(row)
  }

  async consume(kind: string, id: string, at: number): Promise<boolean> {
    if (!isKeepable(kind + id)) return false
    const { numUpdatedRows } = await this.#db
      .updateTable('grants')
      .set({ consumed_at: at })
      .where('kind', '=', kind)
      .where('id', '=', id)
      .where('consumed_at', 'is', null)
      .executeTakeFirstOrThrow()
    return numUpdatedRows === 1n
  }

  async remove(kind: string, id: string): Promise<void> {
    if (!isKeepable(kind + id)) return
    await this.#db.deleteFrom('grants').where('kind', '=', kind).where('id', '=', id).execute()
  }

  async revoke(of: Of): Promise<number> {
    const [column, value] = toColumn(of)
    if (!isKeepable(value)) return 0
    const { numDeletedRows } = await this.#db.deleteFrom('grants').where(column, '=', value).executeTakeFirstOrThrow()
    return Number(numDeletedRows)
  }

  async list({ kind, account, after, limit }: Parameters<GrantStore['list']>[0]): Promise<readonly GrantRow[]> {
    if (!isKeepable(kind + (account ?? ''))) return []
    let query = this.#all(kind).orderBy('id').limit(limit)
    if (account !== undefined) query = query.where('account', '=', account)
    if (after !== undefined) query = query.where('id', '>', after)
    return (await query.execute()).map(fromTableRow)
  }

  async count(kind: string): Promise<number> {
    const { count } = await this.#db
      .selectFrom('grants')
      .select((expression) => expression.fn.countAll<number | string>().as('count'))
      .where('kind', '=', kind)
      .executeTakeFirstOrThrow()
    return Number(count)
  }

  async sweep(now: number): Promise<number> {
    const old = await this.#db
      .selectFrom('grants')
      .select(['kind', 'id'])
      .where('expires_at', '<=', now)
      .limit(SWEPT_AT_ONCE)
      .execute()
    for (const { kind, id } of old) {
      // It may have been put again meanwhile.
      await this.#db
        .deleteFrom('grants')
        .where('kind', '=', kind)
        .where('id', '=', id)
        .where('expires_at', '<=', now)
        .execute()
    }
    return old.length
  }

  #all(kind: string) {
    return this.#db.selectFrom('grants').selectAll().where('kind', '=', kind)
  }
}

function toColumn(of: Of): readonly ['grant_id' | 'account' | 'client', string] {
  if ('grant' in of) return ['grant_id', of.grant]
  return 'account' in of ? ['account', of.account] : ['client', of.client]
}

/** @throws {StoreError} `invalid` */
function toTableRow(row: GrantRow): GrantTableRow {
  checkKeepable('a grant', [row.kind, row.id, row.grant, row.account, row.client, row.uid, row.payload])
  return {
    kind: row.kind,
    id: row.id,
    grant_id: row.grant ?? null,
    account: row.account ?? null,
    client: row.client ?? null,
    uid: row.uid ?? null,
    payload: row.payload,
    created_at: row.createdAt,
    expires_at: row.expiresAt ?? null,
    consumed_at: row.consumedAt ?? null,
  }
}

function fromTableRow(row: GrantTableRow): GrantRow {
  return {
    kind: row.kind,
    id: row.id,
    ...(row.grant_id !== null && { grant: row.grant_id }),
    ...(row.account !== null && { account: row.account }),
    ...(row.client !== null && { client: row.client }),
    ...(row.uid !== null && { uid: row.uid }),
    payload: row.payload,
    createdAt: row.created_at,
    ...(row.expires_at !== null && { expiresAt: row.expires_at }),
    ...(row.consumed_at !== null && { consumedAt: row.consumed_at }),
  }
}

const SWEPT_AT_ONCE = 1_000
