import { isDeepStrictEqual } from 'node:util'
import { sql } from 'kysely'
import { readBackup } from '../backup.ts'
import type { AccountStore } from '../contract/account-store.ts'
import type { AuditStore } from '../contract/audit-store.ts'
import type { CounterStore } from '../contract/counter-store.ts'
import type { CredentialStore } from '../contract/credential-store.ts'
import type { GrantStore } from '../contract/grant-store.ts'
import type { KeyRecord, KeyStore } from '../contract/key-store.ts'
import type { Store } from '../contract/store.ts'
import { StoreError } from '../contract/store-error.ts'
import { SqlAccountStore } from '../sql/accounts.ts'
import { forgetAll, SqlAudit } from '../sql/audit.ts'
import { writeBackup, writeLines } from '../sql/backup-file.ts'
import { SqlCounterStore } from '../sql/counts.ts'
import { SqlCredentialStore } from '../sql/credentials.ts'
import { dump, load } from '../sql/dump.ts'
import { SqlGrantStore } from '../sql/grants.ts'
import { SqlKeyStore } from '../sql/keys.ts'
import { checkNotNewer, migrate, STORE_VERSION, versionOf } from '../sql/migrations.ts'
import type { Db } from '../sql/tables.ts'
import { append } from './append.ts'
import { toStoreError } from './faults.ts'
import { openPool, type PoolOptions } from './pool.ts'
import { retry } from './retry.ts'

export interface PostgresOptions extends PoolOptions {
  /** Whether a database is taken that is not set up, or not up to date. Default false. */
  readonly isUnmigrated?: boolean
}

/**
 * A store in a PostgreSQL database, which any number of gateways may share. What fails because the connection was lost
 * is done again for as long as `timeoutMs`, so that a restart of the server is mostly not noticed.
 * @throws {StoreError} `version` where the database was not migrated
 */
export async function openPostgres(options: PostgresOptions): Promise<Store> {
  const store = new PostgresStore(openPool(options), options)
  try {
    await store.check(options.isUnmigrated ?? false)
    return store
  } catch (error) {
    await store.close()
    throw error
  }
}

class PostgresStore implements Store {
  readonly keys: KeyStore
  readonly audit: AuditStore
  readonly credentials: CredentialStore
  readonly accounts: AccountStore
  readonly grants: GrantStore
  readonly counts: CounterStore
  readonly #db: Db
  readonly #options: PostgresOptions
  #closing: Promise<void> | undefined

  constructor(db: Db, options: PostgresOptions) {
    this.#db = db
    this.#options = options
    this.keys = this.#createKeys()
    this.audit = this.#createAudit()
    this.credentials = this.#createCredentials()
    this.accounts = this.#createAccounts()
    this.grants = this.#createGrants()
    this.counts = this.#createCounts()
  }

  check(isUnmigrated: boolean): Promise<void> {
    return this.#do('Cannot open the store', async () => {
      if (isUnmigrated) await sql`select 1`.execute(this.#db)
      else checkCurrent(await versionOf(this.#db))
    })
  }

  migrate(): Promise<void> {
    return this.#apart((db) =>
      this.#do('Cannot migrate the store', () =>
        db.transaction().execute(async (alone) => {
          await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(alone)
          await migrate(alone, { text: 'text collate "C"', whole: 'bigint', byKey: '', traces: 'by themselves' })
        }),
      ),
    )
  }

  backup(path: string): Promise<void> {
    return this.#apart((db) =>
      writeBackup(path, async (file) => {
        const reading = db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only')
        await reading.execute((one) => writeLines(file, dump(one)))
      }),
    )
  }

  restore(path: string): Promise<void> {
    return this.#apart((db) => db.transaction().execute((alone) => load(alone, readBackup(path))))
  }

  /** With a connection of its own, and all the time it takes. */
  async #apart(action: (db: Db) => Promise<void>): Promise<void> {
    const db = openPool({ ...this.#options, maxConnections: 1, timeoutMs: 0 })
    try {
      await action(db)
    } catch (error) {
      throw toStoreError(error, 'Cannot use the store')
    } finally {
      await db.destroy()
    }
  }

  async close(): Promise<void> {
    this.#closing ??= this.#db.destroy()
    await this.#closing
  }

  async #do<T>(doing: string, action: (attempt: number) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw new StoreError('closed', 'Cannot use the store: it was closed')
    return retry(action, { doing, timeoutMs: this.#options.timeoutMs ?? 5_000 })
  }

  #createKeys(): KeyStore {
    const keys = new SqlKeyStore(this.#db)
    const read = <T>(action: () => Promise<T>) => this.#do('Cannot read the store', action)
    return {
      add: (key) => this.#do('Cannot write the store', (attempt) => addOnce(keys, key, attempt)),
      find: (id) => read(() => keys.find(id)),
      list: (options) => read(() => keys.list(options)),
      change: (id, change) => this.#do('Cannot write the store', () => keys.change(id, change)),
      version: () => read(() => keys.version()),
    }
  }

  #createAccounts(): AccountStore {
    const accounts = new SqlAccountStore(this.#db)
    const read = <T>(action: () => Promise<T>) => this.#do('Cannot read the store', action)
    const write = <T>(action: () => Promise<T>) => this.#do('Cannot write the store', action)
    return {
      add: (account) => this.#once(() => accounts.add(account)),
      find: (name) => read(() => accounts.find(name)),
      list: (options) => read(() => accounts.list(options)),
      change: (name, change) => write(() => accounts.change(name, change)),
      remove: (name) => this.#once(() => accounts.remove(name)),
    }
  }

  #createGrants(): GrantStore {
    const grants = new SqlGrantStore(this.#db)
    const read = <T>(action: () => Promise<T>) => this.#do('Cannot read the store', action)
    const write = <T>(action: () => Promise<T>) => this.#do('Cannot write the store', action)
    return {
      put: (row) => write(() => grants.put(row)),
      add: (row) => this.#once(() => grants.add(row)),
      find: (kind, id) => read(() => grants.find(kind, id)),
      findByUid: (kind, uid) => read(() => grants.findByUid(kind, uid)),
      consume: (kind, id, at) => this.#once(() => grants.consume(kind, id, at)),
      remove: (kind, id) => write(() => grants.remove(kind, id)),
      revoke: (of) => write(() => grants.revoke(of)),
      list: (options) => read(() => grants.list(options)),
      count: (kind) => read(() => grants.count(kind)),
      sweep: (now) => write(() => grants.sweep(now)),
    }
  }

  /** For what would have another outcome the second time, where nobody knows whether there was a first one. */
  async #once<T>(action: () => Promise<T>): Promise<T> {
    return this.#do('Cannot write the store', async (attempt) => {
      if (attempt > 1) throw new StoreError('unavailable', 'Cannot write the store: the connection was lost')
      return action()
    })
  }

  #createCounts(): CounterStore {
    const counts = new SqlCounterStore(this.#db)
    const write = <T>(action: () => Promise<T>) => this.#do('Cannot write the store', action)
    return {
      save: (all) => write(() => counts.save(all)),
      read: (options) => this.#do('Cannot read the store', () => counts.read(options)),
      forget: (now) => write(() => counts.forget(now)),
    }
  }

  #createAudit(): AuditStore {
    const audit = new SqlAudit(this.#db)
    const read = <T>(action: () => Promise<T>) => this.#do('Cannot read the store', action)
    const write = <T>(action: () => Promise<T>) => this.#do('Cannot write the store', action)
    // Appends of this process are done in the order they were asked for, as an embedded store does them.
    let order: Promise<unknown> = Promise.resolve()
    return {
      append: (rows) => {
        const done = order.then(() => write(() => append(this.#db, rows)))
        order = done.catch(() => {}) // told to whoever asked for it
        return done
      },
      last: (chain) => read(() => audit.last(chain)),
      chains: () => read(() => audit.chains()),
      read: (chain, options) => read(() => audit.read(chain, options)),
      search: (query) => read(() => audit.search(query)),
      addCheckpoint: (checkpoint) => write(() => audit.addCheckpoint(checkpoint)),
      checkpoints: (chain) => read(() => audit.checkpoints(chain)),
      forget: (olderThan) => forgetAll(() => write(() => audit.forgetSome(olderThan))),
    }
  }

  #createCredentials(): CredentialStore {
    const credentials = new SqlCredentialStore(this.#db)
    const read = <T>(action: () => Promise<T>) => this.#do('Cannot read the store', action)
    const write = <T>(action: () => Promise<T>) => this.#do('Cannot write the store', action)
    return {
      find: (id) => read(() => credentials.find(id)),
      put: (record, expected) => write(() => credentials.put(record, expected)),
      remove: (id) => write(() => credentials.remove(id)),
      list: (options) => read(() => credentials.list(options)),
      claim: (name, holder, times) => write(() => credentials.claim(name, holder, times)),
      release: (name, holder) => write(() => credentials.release(name, holder)),
    }
  }
}

/** Where a first attempt was lost, the id may be taken by nothing but that attempt. */
async function addOnce(keys: KeyStore, key: KeyRecord, attempt: number): Promise<void> {
  try {
    await keys.add(key)
  } catch (error) {
    const isConflict = error instanceof StoreError && error.code === 'conflict'
    if (attempt === 1 || !isConflict || !isDeepStrictEqual(await keys.find(key.id), key)) throw error
  }
}

function checkCurrent(found: number): void {
  checkNotNewer(found)
  if (found === STORE_VERSION) return
  throw new StoreError('version', 'Cannot open the store: it is of an older Crosspoint; run "crosspoint store migrate"')
}

/** Any number that nobody else takes in the same database. */
const MIGRATION_LOCK = 0x43727074
