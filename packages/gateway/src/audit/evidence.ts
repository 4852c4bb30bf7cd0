import { type Clock, McpError } from '@crosspoint/mcp'
import type { AuditConfig } from '../config/model-audit.ts'
import type { Log } from '../log.ts'
import { digest } from '../node/digest.ts'
import type { Passage } from '../routes/passage.ts'
import type { AuditRow, AuditStore, Checkpoint } from '../stores/contract/audit-store.ts'
import type { Signer } from './checkpoint.ts'
import { type AuditEvent, type Ended, toCallEntry, toEventEntry } from './record.ts'
import { createResultMemory, measureResult } from './result.ts'
import { Retention } from './retention.ts'
import { toRecordSettings } from './settings.ts'
import { ChainWriter } from './writer.ts'

/** Keeps evidence of what happens in one chain, from when it is made until it is closed. */
export interface Evidence {
  readonly chain: string
  /**
   * Asked before a call goes on: `policy.busy` where it could not be recorded and is not to go unrecorded.
   */
  refusal(): McpError | undefined
  /** Records a call that ended. @returns a promise where its caller is to wait until it is kept */
  call(call: Passage, ended: Ended): Promise<void> | undefined
  /** Records what is no call. */
  event(event: AuditEvent): void
  sessionEnded(id: string): void
  /** What waits for the store, and how long that takes. */
  readonly figures: ChainWriter['figures']
  /** Writes the last record and what waits for it, for `graceMs` at most. */
  close(reason: string, graceMs: number): Promise<void>
}

export interface EvidenceOptions {
  readonly config: AuditConfig
  readonly store: AuditStore
  readonly signer: Signer
  readonly clock: Clock
  readonly log: Log
  /** Who writes: version of the program, name of the machine. Said in the first record. */
  readonly about: Readonly<Record<string, string | number>>
  /** 32 hexadecimal digits at random. */
  readonly chain: string
  readonly anchor?: ((checkpoint: Checkpoint) => Promise<void>) | undefined
}

export function createEvidence(options: EvidenceOptions): Evidence {
  const evidence = new ChainEvidence(options)
  evidence.start()
  return evidence
}

class ChainEvidence implements Evidence {
  readonly chain: string
  readonly #options: EvidenceOptions
  readonly #writer: ChainWriter
  readonly #settings: ReturnType<typeof toRecordSettings>
  /** Digests by id, of sessions that were seen here and have not ended. */
  readonly #sessions = new Map<string, string>()
  readonly #kept = createResultMemory()
  readonly #retention: Retention | undefined
  readonly #waitsForStore: boolean
  readonly #refuses: boolean
  #refused = 0
  #quiet = 0
  #quietSince = Number.NEGATIVE_INFINITY
  #noted = 0

  constructor(options: EvidenceOptions) {
    const { config, store, signer, clock, log, chain, anchor } = options
    this.chain = chain
    this.#options = options
    this.#settings = toRecordSettings(config)
    this.#waitsForStore = config.acknowledge === 'before-answer'
    this.#refuses = config.onLoss === 'refuse'
    this.#writer = new ChainWriter(chain, {
      store,
      signer,
      clock,
      log,
      bounds: config,
      anchor,
      first: (follows) => this.#toEntry(this.#begun(follows)),
      lost: (count) => this.#toEntry({ event: 'audit.lost', outcome: 'lost', about: { records: count } }),
      signed: (seq) => this.#toEntry({ event: 'audit.checkpoint', about: { seq } }),
    })
    if (config.retentionDays !== undefined) {
      this.#retention = new Retention({
        store,
        clock,
        log,
        days: config.retentionDays,
        forgot: (about) => this.event({ event: 'audit.forgot', about }),
      })
    }
  }

  start(): void {
    this.#writer.start()
    this.#retention?.start()
  }

  refusal(): McpError | undefined {
    if (!this.#writer.isFull || !this.#refuses) {
      if (this.#refused > 0) this.#tellRefused()
      return undefined
    }
    this.#refused++
    return new McpError('policy.busy', 'Cannot take this call: it could not be recorded, and calls here have to be', {
      data: { kind: 'audit_unavailable' },
    })
  }

  call(call: Passage, ended: Ended): Promise<void> | undefined {
    if (this.#writer.isFull && !this.#refuses) {
      this.#writer.lose()
      return undefined
    }
    const { session: id } = call.downstream
    const entry = toCallEntry(call, ended, {
      settings: this.#settings,
      session: id === undefined ? undefined : this.#sessionOf(id, call),
      // What the gateway answers itself are lists that many ask for.
      measure: call.route === undefined ? this.#kept : measureResult,
    })
    if (this.#waitsForStore) return this.#writer.addAndWait(entry).catch(toUnkept)
    this.#writer.add(entry)
    return undefined
  }

  event(event: AuditEvent): void {
    // Whoever is refused at the door may come as often as they like.
    if (event.event === DOOR_REFUSED && !this.#hasRoomForRefusal()) return
    if (this.#writer.isFull && (!this.#refuses || event.event === DOOR_REFUSED)) this.#writer.lose()
    else this.#writer.add(this.#toEntry(event))
  }

  sessionEnded(id: string): void {
    const target = this.#sessions.get(id)
    if (!this.#sessions.delete(id) || target === undefined) return
    this.event({ event: 'session.ended', target })
  }

  get figures(): ChainWriter['figures'] {
    return this.#writer.figures
  }

  async close(reason: string, graceMs: number): Promise<void> {
    this.#retention?.stop()
    if (this.#refused > 0) this.#tellRefused()
    this.#tellQuiet()
    const last = this.#toEntry({ event: 'gateway.stopped', about: { reason } })
    const lost = await this.#writer.close(last, graceMs)
    if (lost > 0) this.#options.log.error({ records: lost }, 'Records were lost: they could not be kept before the end')
  }

  #begun(follows: AuditRow | undefined): AuditEvent {
    const { about, signer, config } = this.#options
    // Between two checkpoints of this chain there are never more records.
    const gap = config.checkpointRecords + config.batchRecords + 2
    const before = follows === undefined ? {} : { follows: toLink(follows) }
    return { event: 'gateway.started', about: { ...about, key: signer.id, gap, ...before } }
  }

  #sessionOf(id: string, call: Passage): string {
    const known = this.#sessions.get(id)
    if (known !== undefined) return known
    const made = digest(id, 32)
    this.#sessions.set(id, made)
    const { id: principal, tenant } = call.principal
    this.event({ event: 'session.opened', tenant, principal, target: made })
    return made
  }

  #tellRefused(): void {
    const calls = this.#refused
    this.#refused = 0
    this.event({ event: 'audit.refused', outcome: 'policy.busy', about: { calls } })
  }

  /** So many a second one by one; the others are counted. */
  #hasRoomForRefusal(): boolean {
    const now = this.#options.clock.now()
    if (now - this.#quietSince >= 1_000) {
      this.#tellQuiet()
      this.#quietSince = now
      this.#noted = 0
    }
    if (this.#noted++ < MAX_REFUSALS_A_SECOND) return true
    this.#quiet++
    return false
  }

  #tellQuiet(): void {
    const more = this.#quiet
    this.#quiet = 0
    if (more > 0) this.#writer.add(this.#toEntry({ event: DOOR_REFUSED, outcome: 'refused', about: { more } }))
  }

  #toEntry(event: AuditEvent) {
    return toEventEntry(event, this.#options.clock.wallNow())
  }
}

function toUnkept(cause: unknown): never {
  throw new McpError('policy.busy', 'The call was made, and its record could not be kept', {
    data: { kind: 'audit_unavailable' },
    cause,
  })
}

/** A row by which the chain it is in can be found short. */
function toLink({ chain, seq, hash, at }: AuditRow) {
  return { chain, seq, hash, at }
}

/** At the door, before there is a call: `outcome` is the code of the error. */
export const DOOR_REFUSED = 'door.refused'
const MAX_REFUSALS_A_SECOND = 20
