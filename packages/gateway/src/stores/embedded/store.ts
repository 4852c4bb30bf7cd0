import type { AccountStore } from '../contract/account-store.ts'
import type { AuditStore } from '../contract/audit-store.ts'
import type { CounterStore } from '../contract/counter-store.ts'
import type { CredentialStore } from '../contract/credential-store.ts'
import type { GrantStore } from '../contract/grant-store.ts'
import type { KeyStore } from '../contract/key-store.ts'
import type { Store } from '../contract/store.ts'
import { writeBackup } from '../sql/backup-file.ts'
import { createAccounts } from './accounts.ts'
import { EmbeddedAuditStore } from './audit.ts'
import { EmbeddedCounterStore } from './counts.ts'
import { createEmbeddedCredentials } from './credentials.ts'
import { type Database, makeFile, openToRead } from './database.ts'
import { toStoreError } from './faults.ts'
import { createGrants } from './grants.ts'
import { EmbeddedKeyStore } from './keys.ts'
import { Worker } from './worker.ts'

export interface EmbeddedOptions {
  /** The file; made where it is not there. Not on a network disk: processes share memory beside it. */
  readonly path: string
  /** How long to wait for other processes that write. Default 5 s. */
  readonly timeoutMs?: number
}

/**
 * A store in one file, for any number of processes of one machine. It is migrated as it is opened.
 *
 * Two threads do the work, one that writes and one for long reads; a key is found here, in microseconds.
 * @throws {StoreError} what is wrong with the file
 */
export async function openEmbedded({ path, timeoutMs = 5_000 }: EmbeddedOptions): Promise<Store> {
  const writer = new Worker({ path, timeoutMs, writes: true })
  try {
    makeFile(path)
    await writer.open()
    await writer.call('migrate')
    return new EmbeddedStore(openToRead({ path, timeoutMs }), writer, new Worker({ path, timeoutMs, writes: false }))
  } catch (error) {
    await writer.close()
    throw toStoreError(error, `Cannot open the store "${path}"`)
  }
}

class EmbeddedStore implements Store {
  readonly keys: KeyStore
  readonly audit: AuditStore
  readonly credentials: CredentialStore
  readonly accounts: AccountStore
  readonly grants: GrantStore
  readonly counts: CounterStore
  readonly #database: Database
  readonly #writer: Worker
  readonly #reader: Worker

  constructor(database: Database, writer: Worker, reader: Worker) {
    this.#database = database
    this.#writer = writer
    this.#reader = reader
    this.keys = new EmbeddedKeyStore(database, writer, reader)
    this.audit = new EmbeddedAuditStore(writer, reader)
    this.credentials = createEmbeddedCredentials(writer, reader)
    this.accounts = createAccounts(writer, reader)
    this.grants = createGrants(writer, reader)
    this.counts = new EmbeddedCounterStore(writer, reader)
  }

  migrate(): Promise<void> {
    return this.#writer.call('migrate')
  }

  async backup(path: string): Promise<void> {
    await writeBackup(path, () => this.#reader.call('backup', path))
  }

  restore(path: string): Promise<void> {
    return this.#writer.call('restore', path)
  }

  async close(): Promise<void> {
    // The writer last: it leaves one whole file behind where nobody else has it open.
    await this.#reader.close()
    this.#database.close()
    await this.#writer.close()
  }
}
