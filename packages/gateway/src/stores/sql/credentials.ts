import { sql } from 'kysely'
import type { CredentialId, CredentialRecord, CredentialStore } from '../contract/credential-store.ts'
import type { CredentialRow, Db } from './tables.ts'
import { checkKeepable, isKeepable } from './texts.ts'

/** Sealed credentials in a database of either kind. Each method may be done twice, as the contract has it. */
export class SqlCredentialStore implements CredentialStore {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async find(id: CredentialId): Promise<CredentialRecord | undefined> {
    if (!isKeepableId(id)) return undefined
    const row = await this.#db
      .selectFrom('credentials')
      .selectAll()
      .where('kind', '=', id.kind)
      .where('tenant', '=', id.tenant)
      .where('principal', '=', id.principal)
      .where('name', '=', id.name)
      .executeTakeFirst()
    return row === undefined ? undefined : fromRow(row)
  }

  async put(record: NewRecord, expected: number): Promise<number | undefined> {
    const { tenant, principal, name, keyId, sealed } = record
    checkKeepable('a credential', [tenant, principal, name, keyId, sealed])
    const isDone = expected === 0 ? await this.#add(record) : await this.#change(record, expected)
    // Done already, perhaps, by an attempt whose answer was lost.
    return isDone || (await this.find(record))?.sealed === sealed ? expected + 1 : undefined
  }

  async #add({ kind, tenant, principal, name, keyId, sealed, updatedAt }: NewRecord): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await this.#db
      .insertInto('credentials')
      .values({ kind, tenant, principal, name, key_id: keyId, sealed, version: 1, updated_at: updatedAt })
      .onConflict((conflict) => conflict.columns(['kind', 'tenant', 'principal', 'name']).doNothing())
      .executeTakeFirstOrThrow()
    return numInsertedOrUpdatedRows === 1n
  }

  async #change({ kind, tenant, principal, name, keyId, sealed, updatedAt }: NewRecord, expected: number) {
    const { numUpdatedRows } = await this.#db
      .updateTable('credentials')
      .set({ key_id: keyId, sealed, version: expected + 1, updated_at: updatedAt })
      .where('kind', '=', kind)
      .where('tenant', '=', tenant)
      .where('principal', '=', principal)
      .where('name', '=', name)
      .where('version', '=', expected)
      .executeTakeFirstOrThrow()
    return numUpdatedRows === 1n
  }

  async remove(id: CredentialId): Promise<boolean> {
    if (!isKeepableId(id)) return false
    const { numDeletedRows } = await this.#db
      .deleteFrom('credentials')
      .where('kind', '=', id.kind)
      .where('tenant', '=', id.tenant)
      .where('principal', '=', id.principal)
      .where('name', '=', id.name)
      .executeTakeFirstOrThrow()
    return numDeletedRows === 1n
  }

  async list({ kind, after, limit }: Parameters<CredentialStore['list']>[0]): Promise<readonly CredentialRecord[]> {
    let query = this.#db.selectFrom('credentials').selectAll().where('kind', '=', kind)
    if (after !== undefined) {
      query = query.where(
        sql<boolean>`(tenant, principal, name) > (${after.tenant}, ${after.principal}, ${after.name})`,
      )
    }
    const rows = await query.orderBy('tenant').orderBy('principal').orderBy('name').limit(limit).execute()
    return rows.map(fromRow)
  }

  async claim(name: string, holder: string, { now, until }: Parameters<CredentialStore['claim']>[2]): Promise<boolean> {
    checkKeepable('a claim', [name, holder])
    const { numInsertedOrUpdatedRows } = await this.#db
      .insertInto('credential_claims')
      .values({ name, holder, ends_at: until })
      .onConflict((conflict) =>
        conflict
          .column('name')
          .doUpdateSet({ holder, ends_at: until })
          .where((where) =>
            where.or([where('credential_claims.holder', '=', holder), where('credential_claims.ends_at', '<=', now)]),
          ),
      )
      .executeTakeFirstOrThrow()
    if (numInsertedOrUpdatedRows !== 1n) return false
    await this.#db.deleteFrom('credential_claims').where('ends_at', '<=', now).execute()
    return true
  }

  async release(name: string, holder: string): Promise<void> {
    await this.#db.deleteFrom('credential_claims').where('name', '=', name).where('holder', '=', holder).execute()
  }
}

type NewRecord = Omit<CredentialRecord, 'version'>

function isKeepableId({ tenant, principal, name }: CredentialId): boolean {
  return isKeepable(tenant) && isKeepable(principal) && isKeepable(name)
}

function fromRow({ kind, tenant, principal, name, key_id, sealed, version, updated_at }: CredentialRow) {
  return { kind, tenant, principal, name, keyId: key_id, sealed, version, updatedAt: updated_at }
}
