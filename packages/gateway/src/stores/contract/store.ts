import type { AccountStore } from './account-store.ts'
import type { AuditStore } from './audit-store.ts'
import type { CounterStore } from './counter-store.ts'
import type { CredentialStore } from './credential-store.ts'
import type { GrantStore } from './grant-store.ts'
import type { KeyStore } from './key-store.ts'

/**
 * Where the gateway keeps what outlives its process. Each member is a port of its own, and every driver has all of them;
 * one suite holds all drivers to what the ports say (`contract/*.suite.ts`).
 */
export interface Store {
  readonly keys: KeyStore
  readonly audit: AuditStore
  readonly credentials: CredentialStore
  readonly accounts: AccountStore
  readonly grants: GrantStore
  readonly counts: CounterStore
  /** Brings what is kept to the shape this version expects. Safe to run again, and by several replicas at once. */
  migrate(): Promise<void>
  /**
   * Writes all of it, as it is at one moment, to a file that only its owner may read. The store can be used meanwhile.
   * @throws {StoreError} `conflict` where there is such a file
   */
  backup(path: string): Promise<void>
  /**
   * Fills an empty store from a backup of a store of any kind; all of it or nothing.
   * @throws {StoreError} `conflict` where it is not empty, `damaged` where the backup is not whole
   */
  restore(path: string): Promise<void>
  /** Lets what is under way finish. */
  close(): Promise<void>
}
