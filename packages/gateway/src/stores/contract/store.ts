import type { AuditStore } from './audit-store.ts'
import type { KeyStore } from './key-store.ts'

/**
 * Where the gateway keeps what outlives its process. Each member is a port of its own, and every driver has all of them;
 * one suite holds all drivers to what the ports say (`contract/*.suite.ts`).
 */
export interface Store {
  readonly keys: KeyStore
  readonly audit: AuditStore
  /** Brings what is kept to the shape this version expects. Safe to run again, and by several replicas at once. */
  migrate(): Promise<void>
  /** Lets what is under way finish. */
  close(): Promise<void>
}
