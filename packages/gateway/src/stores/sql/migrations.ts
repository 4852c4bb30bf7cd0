import { sql } from 'kysely'
import { StoreError } from '../contract/store-error.ts'
import type { Db } from './tables.ts'

/** In what the two databases differ where tables are made. */
export interface Flavour {
  /** A text, compared by its bytes whatever the language of the database. */
  readonly text: 'text' | 'text collate "C"'
  /** 53 bits and more. */
  readonly whole: 'integer' | 'bigint'
  /** Behind the columns of a table that is read by its primary key only. */
  readonly byKey: '' | 'without rowid'
  /**
   * How rows are found by their trace. Each trace is somewhere else in an index of its own, and an append of many touches as
   * many pages of it, which is half of what an append costs; those beside the time are written in their order, and all of
   * them are looked at.
   */
  readonly traces: 'by themselves' | 'beside the time'
}

interface Migration {
  readonly number: number
  readonly statements: (flavour: Flavour) => readonly string[]
}

/** Each is run once, in order, and never changed after a release: what a store looks like is the sum of them. */
const MIGRATIONS: readonly Migration[] = [
  {
    number: 1,
    statements: ({ text, whole, byKey, traces }) => [
      `create table api_keys (
        id ${text} primary key, digest ${text} not null, principal ${text} not null, tenant ${text} not null,
        scopes ${text}, roles ${text} not null, label ${text}, created_at ${whole} not null,
        expires_at ${whole}, revoked_at ${whole}, replaced_by ${text}, used_at ${whole})`,
      `create table api_keys_version (version ${whole} not null)`,
      'insert into api_keys_version values (0)',
      `create table audit_rows (
        chain ${text} not null, seq ${whole} not null, at ${whole} not null,
        previous ${text} not null, hash ${text} not null, record ${text} not null,
        tenant ${text} not null, principal ${text} not null, method ${text} not null,
        target ${text}, upstream ${text}, outcome ${text} not null, trace ${text},
        primary key (chain, seq))`,
      `create index audit_rows_at on audit_rows (at, chain, seq${traces === 'beside the time' ? ', trace' : ''})`,
      'create index audit_rows_principal on audit_rows (tenant, principal, at)',
      ...(traces === 'by themselves'
        ? ['create index audit_rows_trace on audit_rows (trace) where trace is not null']
        : []),
      `create table audit_chains (
        chain ${text} primary key, first ${whole} not null, last ${whole} not null, hash ${text} not null) ${byKey}`,
      `create table audit_checkpoints (
        chain ${text} not null, seq ${whole} not null, hash ${text} not null, at ${whole} not null,
        signing_key ${text} not null, signature ${text} not null, primary key (chain, seq, at, signing_key))`,
    ],
  },
  {
    number: 2,
    statements: ({ text, whole, byKey }) => [
      `create table credentials (
        kind ${text} not null, tenant ${text} not null, principal ${text} not null, name ${text} not null,
        key_id ${text} not null, sealed ${text} not null, version ${whole} not null, updated_at ${whole} not null,
        primary key (kind, tenant, principal, name)) ${byKey}`,
      `create table credential_claims (
        name ${text} primary key, holder ${text} not null, ends_at ${whole} not null) ${byKey}`,
      'create index credential_claims_ends on credential_claims (ends_at)',
    ],
  },
  {
    number: 3,
    statements: ({ text, whole, byKey }) => [
      `create table accounts (
        name ${text} primary key, tenant ${text} not null, roles ${text} not null, digest ${text} not null,
        created_at ${whole} not null, changed_at ${whole} not null)`,
      `create table grants (
        kind ${text} not null, id ${text} not null, grant_id ${text}, account ${text}, client ${text}, uid ${text},
        payload ${text} not null, created_at ${whole} not null, expires_at ${whole}, consumed_at ${whole},
        primary key (kind, id)) ${byKey}`,
      'create index grants_grant on grants (grant_id) where grant_id is not null',
      'create index grants_account on grants (account) where account is not null',
      'create index grants_client on grants (client) where client is not null',
      'create index grants_uid on grants (kind, uid) where uid is not null',
      'create index grants_expiry on grants (expires_at) where expires_at is not null',
    ],
  },
  {
    number: 4,
    statements: ({ text, whole, byKey }) => [
      `create table counts (
        name ${text} not null, owner ${text} not null, part ${whole} not null, amount ${whole} not null,
        window_ms ${whole} not null, expires_at ${whole} not null, primary key (name, owner, part)) ${byKey}`,
      'create index counts_expiry on counts (expires_at)',
    ],
  },
]

/** The version this program expects. */
export const STORE_VERSION = MIGRATIONS.at(-1)?.number ?? 0

/**
 * Runs what was not run yet. The caller holds a lock, or a transaction that nobody else can be in.
 * @throws {StoreError} `version` where a newer program has been here
 */
export async function migrate(db: Db, flavour: Flavour): Promise<void> {
  await sql`create table if not exists store_version (version ${sql.raw(flavour.whole)} not null)`.execute(db)
  const found = await versionOf(db)
  checkNotNewer(found)
  const missing = MIGRATIONS.filter(({ number }) => number > found)
  for (const { statements } of missing) {
    for (const statement of statements(flavour)) await sql.raw(statement).execute(db)
  }
  if (missing.length === 0) return
  await db.deleteFrom('store_version').execute()
  await db.insertInto('store_version').values({ version: STORE_VERSION }).execute()
}

/** 0 where nothing was kept yet. The table must be there. */
export async function versionOf(db: Db): Promise<number> {
  const row = await db.selectFrom('store_version').select('version').executeTakeFirst()
  return row?.version ?? 0
}

/** @throws {StoreError} `version` */
export function checkNotNewer(found: number): void {
  if (found <= STORE_VERSION) return
  throw new StoreError(
    'version',
    `Cannot open the store: a newer Crosspoint wrote it (version ${found}, this one knows ${STORE_VERSION}); use that one`,
  )
}
