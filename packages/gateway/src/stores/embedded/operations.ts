import { Kysely } from 'kysely'
import { readBackup } from '../backup.ts'
import type { AccountRecord, AccountStore } from '../contract/account-store.ts'
import type { AuditQuery, AuditStore, Checkpoint } from '../contract/audit-store.ts'
import type { CounterStore, KeptCount } from '../contract/counter-store.ts'
import type { CredentialId, CredentialRecord, CredentialStore } from '../contract/credential-store.ts'
import type { GrantRow, GrantStore } from '../contract/grant-store.ts'
import type { KeyRecord, KeyStore } from '../contract/key-store.ts'
import { SqlAccountStore } from '../sql/accounts.ts'
import { SqlAudit } from '../sql/audit.ts'
import { SqlCounterStore } from '../sql/counts.ts'
import { SqlCredentialStore } from '../sql/credentials.ts'
import { load } from '../sql/dump.ts'
import { SqlGrantStore } from '../sql/grants.ts'
import { SqlKeyStore } from '../sql/keys.ts'
import { migrate } from '../sql/migrations.ts'
import type { Tables } from '../sql/tables.ts'
import { createAppend } from './append.ts'
import { vacuumInto } from './backup.ts'
import type { Database } from './database.ts'
import { WritingDialect } from './dialect.ts'
import { type PackedRows, unpackRows } from './packed-rows.ts'

/** What the threads of a store do, one at a time. Arguments and results cross between threads. */
export function createOperations(database: Database) {
  const db = new Kysely<Tables>({ dialect: new WritingDialect(database) })
  const keys = new SqlKeyStore(db)
  const audit = new SqlAudit(db)
  const credentials = new SqlCredentialStore(db)
  const accounts = new SqlAccountStore(db)
  const grants = new SqlGrantStore(db)
  const counts = new SqlCounterStore(db)
  let append: ReturnType<typeof createAppend> | undefined
  return {
    /** Of several processes one migrates, and others wait. */
    migrate: () => db.transaction().execute((writing) => migrate(writing, FLAVOUR)),
    addKey: (key: KeyRecord) => keys.add(key),
    changeKey: (id: string, change: Parameters<KeyStore['change']>[1]) => keys.change(id, change),
    listKeys: (options: Parameters<KeyStore['list']>[0]) => keys.list(options),
    addAccount: (account: AccountRecord) => accounts.add(account),
    findAccount: (name: string) => accounts.find(name),
    listAccounts: (options: Parameters<AccountStore['list']>[0]) => accounts.list(options),
    changeAccount: (name: string, change: Parameters<AccountStore['change']>[1]) => accounts.change(name, change),
    removeAccount: (name: string) => accounts.remove(name),
    putGrant: (row: GrantRow) => grants.put(row),
    addGrant: (row: GrantRow) => grants.add(row),
    findGrant: (kind: string, id: string) => grants.find(kind, id),
    findGrantByUid: (kind: string, uid: string) => grants.findByUid(kind, uid),
    consumeGrant: (kind: string, id: string, at: number) => grants.consume(kind, id, at),
    removeGrant: (kind: string, id: string) => grants.remove(kind, id),
    revokeGrants: (of: Parameters<GrantStore['revoke']>[0]) => grants.revoke(of),
    listGrants: (options: Parameters<GrantStore['list']>[0]) => grants.list(options),
    countGrants: (kind: string) => grants.count(kind),
    sweepGrants: (now: number) => grants.sweep(now),
    append: async (rows: PackedRows) => {
      // With the first rows: its statements need the tables.
      append ??= createAppend(database)
      append(unpackRows(rows))
    },
    lastRow: (chain: string) => audit.last(chain),
    chains: () => audit.chains(),
    readRows: (chain: string, options: Parameters<AuditStore['read']>[1]) => audit.read(chain, options),
    searchRows: (query: AuditQuery) => audit.search(query),
    addCheckpoint: (checkpoint: Checkpoint) => audit.addCheckpoint(checkpoint),
    checkpoints: (chain: string) => audit.checkpoints(chain),
    backup: async (path: string) => vacuumInto(database, path),
    restore: (path: string) => db.transaction().execute((writing) => load(writing, readBackup(path))),
    findCredential: (id: CredentialId) => credentials.find(id),
    putCredential: (record: Omit<CredentialRecord, 'version'>, expected: number) => credentials.put(record, expected),
    removeCredential: (id: CredentialId) => credentials.remove(id),
    listCredentials: (options: Parameters<CredentialStore['list']>[0]) => credentials.list(options),
    claimCredential: (...claim: Parameters<CredentialStore['claim']>) => credentials.claim(...claim),
    releaseCredential: (name: string, holder: string) => credentials.release(name, holder),
    saveCounts: (all: readonly KeptCount[]) => counts.save(all),
    readCounts: (options: Parameters<CounterStore['read']>[0]) => counts.read(options),
    forgetCounts: (now: number) => counts.forget(now),
    forgetSome: (olderThan: number) => audit.forgetSome(olderThan),
  }
}

export type Operations = ReturnType<typeof createOperations>

const FLAVOUR = { text: 'text', whole: 'integer', byKey: 'without rowid', traces: 'beside the time' } as const
