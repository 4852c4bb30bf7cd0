import { sql } from 'kysely'
import { StoreError } from '../contract/store-error.ts'
import { AUDIT_COLUMNS } from './audit-rows.ts'
import type { Db, Tables } from './tables.ts'

/** Some rows of one table, as they are moved between stores of either kind. */
export interface Batch {
  readonly table: DumpedTable
  readonly rows: readonly DumpedRow[]
}

export type DumpedTable = keyof typeof TABLES
export type DumpedRow = Readonly<Record<string, string | number | null>>

interface Shape {
  readonly columns: readonly string[]
  readonly key: readonly string[]
}

/** All that a backup holds, in the order in which it is read back. */
export const TABLES = {
  api_keys_version: { columns: ['version'], key: ['version'] },
  api_keys: {
    columns: [
      'id',
      'digest',
      'principal',
      'tenant',
      'scopes',
      'roles',
      'label',
      'created_at',
      'expires_at',
      'revoked_at',
      'replaced_by',
      'used_at',
    ],
    key: ['id'],
  },
  audit_chains: { columns: ['chain', 'first', 'last', 'hash'], key: ['chain'] },
  audit_rows: { columns: AUDIT_COLUMNS, key: ['chain', 'seq'] },
  audit_checkpoints: {
    columns: ['chain', 'seq', 'hash', 'at', 'signing_key', 'signature'],
    key: ['chain', 'seq', 'at', 'signing_key'],
  },
  // Sealed as they are: without its key nobody can use what is in a backup.
  credentials: {
    columns: ['kind', 'tenant', 'principal', 'name', 'key_id', 'sealed', 'version', 'updated_at'],
    key: ['kind', 'tenant', 'principal', 'name'],
  },
  accounts: { columns: ['name', 'tenant', 'roles', 'digest', 'created_at', 'changed_at'], key: ['name'] },
  grants: {
    columns: [
      'kind',
      'id',
      'grant_id',
      'account',
      'client',
      'uid',
      'payload',
      'created_at',
      'expires_at',
      'consumed_at',
    ],
    key: ['kind', 'id'],
  },
  counts: {
    columns: ['name', 'owner', 'part', 'amount', 'window_ms', 'expires_at'],
    key: ['name', 'owner', 'part'],
  },
} as const satisfies { readonly [Table in Exclude<keyof Tables, 'store_version' | 'credential_claims'>]: Shape }

const ROWS_AT_ONCE = 500

/** Everything, a page at a time. Consistent where `db` is a transaction that sees one moment. */
export async function* dump(db: Db): AsyncGenerator<Batch> {
  for (const table of tableNames()) {
    for (let last: DumpedRow | undefined; ; ) {
      const rows = await readPage(db, table, last)
      if (rows.length > 0) yield { table, rows }
      last = rows.at(-1)
      if (rows.length < ROWS_AT_ONCE) break
    }
  }
}

async function readPage(db: Db, table: DumpedTable, last: DumpedRow | undefined): Promise<readonly DumpedRow[]> {
  const { columns, key }: Shape = TABLES[table]
  const order = sql.join(key.map((name) => sql.ref(name)))
  const behind = last === undefined ? sql`` : sql`where (${order}) > (${sql.join(key.map((name) => last[name]))})`
  const query = sql<DumpedRow>`
    select ${sql.join(columns.map((name) => sql.ref(name)))} from ${sql.table(table)} ${behind}
    order by ${order} limit ${sql.lit(ROWS_AT_ONCE)}`
  return (await query.execute(db)).rows
}

/**
 * Fills an empty store. To be called in a transaction.
 * @throws {StoreError} `conflict` where it is not empty
 */
export async function load(db: Db, batches: AsyncIterable<Batch>): Promise<void> {
  for (const table of tableNames()) {
    if (table === 'api_keys_version') continue // it has a row from the beginning
    const { rows } = await sql`select 1 from ${sql.table(table)} limit 1`.execute(db)
    if (rows.length > 0) throw new StoreError('conflict', 'Cannot restore: the store is not empty')
  }
  for await (const { table, rows } of batches) {
    if (table === 'api_keys_version') await countOn(db, rows)
    else await insert(db, table, rows)
  }
}

/** Further than both stores ever were, so that nobody goes on with keys of before. */
async function countOn(db: Db, rows: readonly DumpedRow[]): Promise<void> {
  const [version] = rows.map((row) => Number(row.version))
  await sql`update api_keys_version set version = version + ${(version ?? 0) + 1}`.execute(db)
}

async function insert(db: Db, table: DumpedTable, rows: readonly DumpedRow[]): Promise<void> {
  const { columns }: Shape = TABLES[table]
  const values = rows.map((row) => sql`(${sql.join(columns.map((name) => row[name] ?? null))})`)
  const names = sql.join(columns.map((name) => sql.ref(name)))
  await sql`insert into ${sql.table(table)} (${names}) values ${sql.join(values)}`.execute(db)
}

export function isDumpedTable(name: unknown): name is DumpedTable {
  return typeof name === 'string' && Object.hasOwn(TABLES, name)
}

function tableNames(): readonly DumpedTable[] {
  return Object.keys(TABLES).filter(isDumpedTable)
}
