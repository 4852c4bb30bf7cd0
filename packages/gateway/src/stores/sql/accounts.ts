import type { AccountRecord, AccountStore } from '../contract/account-store.ts'
import { StoreError } from '../contract/store-error.ts'
import type { AccountRow, Db } from './tables.ts'
import { checkKeepable, isKeepable, parseTexts } from './texts.ts'

/** Accounts in a database of either kind. */
export class SqlAccountStore implements AccountStore {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async add(account: AccountRecord): Promise<void> {
    const { numInsertedOrUpdatedRows } = await this.#db
      .insertInto('accounts')
      .values(toRow(account))
      .onConflict((conflict) => conflict.column('name').doNothing())
      .executeTakeFirstOrThrow()
    if (numInsertedOrUpdatedRows !== 1n) {
      throw new StoreError('conflict', `Cannot add account "${account.name}": its name is taken`)
    }
  }

  async find(name: string): Promise<AccountRecord | undefined> {
    if (!isKeepable(name)) return undefined
    const row = await this.#db.selectFrom('accounts').selectAll().where('name', '=', name).executeTakeFirst()
    return row === undefined ? undefined : fromRow(row)
  }

  async list({ after, limit }: Parameters<AccountStore['list']>[0]): Promise<readonly AccountRecord[]> {
    let query = this.#db.selectFrom('accounts').selectAll().orderBy('name').limit(limit)
    if (after !== undefined) query = query.where('name', '>', after)
    return (await query.execute()).map(fromRow)
  }

  async change(name: string, change: Parameters<AccountStore['change']>[1]): Promise<AccountRecord | undefined> {
    checkKeepable('a change of an account', [change.digest, ...(change.roles ?? [])])
    const set: Partial<AccountRow> = {
      ...(change.digest !== undefined && { digest: change.digest }),
      ...(change.changedAt !== undefined && { changed_at: change.changedAt }),
      ...(change.roles !== undefined && { roles: JSON.stringify(change.roles) }),
    }
    if (!isKeepable(name) || Object.keys(set).length === 0) return this.find(name)
    const row = await this.#db
      .updateTable('accounts')
      .set(set)
      .where('name', '=', name)
      .returningAll()
      .executeTakeFirst()
    return row === undefined ? undefined : fromRow(row)
  }

  async remove(name: string): Promise<boolean> {
    if (!isKeepable(name)) return false
    const { numDeletedRows } = await this.#db.deleteFrom('accounts').where('name', '=', name).executeTakeFirstOrThrow()
    return numDeletedRows === 1n
  }
}

/** @throws {StoreError} `invalid` */
function toRow({ name, tenant, roles, digest, createdAt, changedAt }: AccountRecord): AccountRow {
  checkKeepable('an account', [name, tenant, digest, ...roles])
  return { name, tenant, roles: JSON.stringify(roles), digest, created_at: createdAt, changed_at: changedAt }
}

function fromRow({ name, tenant, roles, digest, created_at, changed_at }: AccountRow): AccountRecord {
  return {
    name,
    tenant,
    roles: parseTexts(roles, 'Cannot read an account: its roles are not a list of texts'),
    digest,
    createdAt: created_at,
    changedAt: changed_at,
  }
}
