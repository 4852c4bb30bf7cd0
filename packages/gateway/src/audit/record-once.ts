import { systemClock } from '@crosspoint/mcp'
import type { AuditConfig } from '../config/model-audit.ts'
import { SILENT } from '../log.ts'
import { hostAndProcess } from '../node/host.ts'
import type { AuditStore } from '../stores/contract/audit-store.ts'
import { Ledger } from './ledger.ts'
import type { AuditEvent } from './record.ts'

/**
 * Adds one thing that happened to the evidence, from outside of a gateway, in a chain of its own. Resolves when it is kept.
 * @param about who writes it
 * @throws {AuditKeyError} where the key cannot be used
 */
export async function recordOnce(event: AuditEvent, { config, store, env, about }: RecordOnceOptions): Promise<void> {
  const ledger = new Ledger({ store, clock: systemClock, log: SILENT, env, about: { ...about, ...hostAndProcess() } })
  ledger.apply(config)
  ledger.event(event)
  await ledger.close(ENDING_MS)
}

export interface RecordOnceOptions {
  readonly config: AuditConfig
  readonly store: AuditStore
  /** Where the key is looked for. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly about: { readonly name: string; readonly version: string }
}

const ENDING_MS = 10_000
