import type { Clock } from '@crosspoint/mcp'
import type { AuditConfig } from '../config/model-audit.ts'
import type { Log } from '../log.ts'
import { createAnchor } from '../node/anchor.ts'
import { defaultKeyFile, openAuditKey } from '../node/audit-key.ts'
import { createTraceIds } from '../node/trace-ids.ts'
import type { AuditStore } from '../stores/contract/audit-store.ts'
import { createEvidence, type Evidence } from './evidence.ts'
import type { AuditEvent } from './record.ts'

export interface LedgerOptions {
  /** Default: nothing is kept, whatever is configured. */
  readonly store: AuditStore | undefined
  readonly clock: Clock
  readonly log: Log
  readonly env: Readonly<Record<string, string | undefined>>
  /** Who writes: said in the first record of each chain. */
  readonly about: Readonly<Record<string, string | number>>
}

/** The evidence that is kept now. Another configuration of it begins another chain, which follows the one before. */
export class Ledger {
  readonly #options: LedgerOptions
  #current: Evidence | undefined
  /** Chains that are being ended. */
  readonly #ending = new Set<Promise<void>>()

  constructor(options: LedgerOptions) {
    this.#options = options
  }

  get current(): Evidence | undefined {
    return this.#current
  }

  /** @throws {AuditKeyError} where the key cannot be used; then all stays as it was */
  apply(config: AuditConfig | undefined): void {
    const next = config === undefined ? undefined : this.#open(config)
    this.#end('configuration', ENDING_MS)
    this.#current = next
  }

  event(event: AuditEvent): void {
    this.#current?.event(event)
  }

  /** Writes what waits, for `graceMs` at most. */
  async close(graceMs: number): Promise<void> {
    this.#end('stopped', graceMs)
    await Promise.all(this.#ending)
  }

  #end(reason: string, graceMs: number): void {
    const ending = this.#current?.close(reason, graceMs)
    this.#current = undefined
    if (ending === undefined) return
    this.#ending.add(ending)
    void ending.finally(() => this.#ending.delete(ending))
  }

  #open(config: AuditConfig): Evidence | undefined {
    const { store, clock, log, env, about } = this.#options
    if (store === undefined) {
      log.warn({}, 'Evidence is configured, and there is no store for it here: nothing is kept')
      return undefined
    }
    return createEvidence({
      config,
      store,
      clock,
      log,
      about,
      signer: openAuditKey(config.keyFile ?? defaultKeyFile(env)),
      chain: createTraceIds().traceId(),
      anchor: config.anchor === undefined ? undefined : createAnchor(config.anchor, log),
    })
  }
}

/** How long a chain that another configuration ends may go on trying. */
const ENDING_MS = 60_000
