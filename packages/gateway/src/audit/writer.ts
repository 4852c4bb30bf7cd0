import type { Clock, Timer } from '@crosspoint/mcp'
import type { Log } from '../log.ts'
import type { AuditRow, AuditStore, Checkpoint } from '../stores/contract/audit-store.ts'
import { StoreError } from '../stores/contract/store-error.ts'
import { GENESIS, type Tail, toHash } from './chain.ts'
import { type Signer, signCheckpoint } from './checkpoint.ts'
import type { Entry } from './record.ts'

export interface WriterBounds {
  /** Most records that are written at once. */
  readonly batchRecords: number
  /** How long a record waits for others to be written with it, in milliseconds. */
  readonly batchDelayMs: number
  /** Most records that wait, and characters of them; beyond either the writer is full. */
  readonly maxWaitingRecords: number
  readonly maxWaitingBytes: number
  /** A checkpoint at the latest after so many records. */
  readonly checkpointRecords: number
  /** And at the latest so long after a record that none covers, in milliseconds. */
  readonly checkpointMs: number
}

export interface WriterOptions {
  readonly store: AuditStore
  readonly signer: Signer
  readonly bounds: WriterBounds
  readonly clock: Clock
  readonly log: Log
  /** Puts a checkpoint where others keep it. Default: nowhere. */
  readonly anchor?: ((checkpoint: Checkpoint) => Promise<void>) | undefined
  /** The first record of the chain, given what was the newest row of all when it began. */
  readonly first: (follows: AuditRow | undefined) => Entry
  /** Says how many records could not be kept. */
  readonly lost: (count: number) => Entry
  /** Says that there is a checkpoint of a row, so that it cannot go without a trace. */
  readonly signed: (seq: number) => Entry
}

/** A record that waits, and who waits for it. */
interface Waiting {
  readonly entry: Entry
  readonly kept: (() => void) | undefined
  readonly failed: ((error: unknown) => void) | undefined
}

/** Rows, what they were made from, and how many lost ones they tell of. */
interface Batch {
  readonly rows: readonly AuditRow[]
  readonly from: readonly Waiting[]
  readonly lost: number
}

/**
 * Makes one chain of records and brings it into the store: in batches, one after the other, again and again while the
 * store is away. Hashes are made with the batch, not with the call.
 */
export class ChainWriter {
  readonly chain: string
  readonly #options: WriterOptions
  #waiting: Waiting[] = []
  #waitingBytes = 0
  /** Taken out of what waits and not yet known to be kept: the same rows are tried again. */
  #batch: Batch | undefined
  #tail: Tail
  #isOpen = false
  /** Never earlier than the row before. */
  #at = 0
  #lost = 0
  #appends = 0
  #appendMs = 0
  #unsigned = 0
  /** The row of the newest checkpoint that no record tells of yet. */
  #signedAt = 0
  #unsignedSince = 0
  #isRunning = false
  #isClosing = false
  #isGivenUp = false
  #failures = 0
  #timer: Timer | undefined
  /** How long that was set for. */
  #delayMs = 0
  #checkpointTimer: Timer | undefined
  #retryNow: (() => void) | undefined
  #idle: (() => void) | undefined

  constructor(chain: string, options: WriterOptions) {
    this.chain = chain
    this.#options = options
    this.#tail = { chain, seq: 0, hash: GENESIS }
  }

  /** Whether so much waits that no more should come. */
  get isFull(): boolean {
    const { maxWaitingRecords, maxWaitingBytes } = this.#options.bounds
    return this.#waitingCount >= maxWaitingRecords || this.#waitingBytes >= maxWaitingBytes
  }

  /** Records that could not be kept and that no record tells of yet. */
  get lost(): number {
    return this.#lost
  }

  /** Records that wait for the store, and how long it took for those batches that it has. */
  get figures(): {
    readonly waiting: number
    readonly lost: number
    readonly appends: number
    readonly appendMs: number
  } {
    return { waiting: this.#waitingCount, lost: this.#lost, appends: this.#appends, appendMs: this.#appendMs }
  }

  get #waitingCount(): number {
    return this.#waiting.length + (this.#batch?.from.length ?? 0)
  }

  /** Begins the chain, as soon as the store can be reached. */
  start(): void {
    this.#run()
  }

  /** Takes a record, however much waits: who may not lose one asks {@link isFull} before there is one. */
  add(entry: Entry): void {
    this.#take({ entry, kept: undefined, failed: undefined }, this.#options.bounds.batchDelayMs)
  }

  /** As {@link add}; resolves once the store has it. @throws where it never will */
  addAndWait(entry: Entry): Promise<void> {
    return new Promise((kept, failed) => this.#take({ entry, kept, failed }, 0))
  }

  /** Counts a record that is not taken, so that it is told of later. */
  lose(): void {
    this.#lost++
  }

  /**
   * Writes what waits and a last checkpoint. Whoever still waits for a record after `graceMs` is told that it is lost.
   * @returns how many are
   */
  async close(last: Entry, graceMs: number): Promise<number> {
    const { clock } = this.#options
    this.#isClosing = true
    this.add(last)
    this.start()
    this.#retryNow?.()
    if (this.#isRunning) {
      await new Promise<void>((idle) => {
        const timer = clock.setTimer(graceMs, idle, { keepsAlive: true })
        this.#idle = () => {
          timer.cancel()
          idle()
        }
      })
    }
    return this.#giveUp()
  }

  #giveUp(): number {
    this.#isGivenUp = true
    this.#timer?.cancel()
    this.#checkpointTimer?.cancel()
    this.#retryNow?.()
    const left = [...(this.#batch?.from ?? []), ...this.#waiting]
    const error = new StoreError('unavailable', 'The record of this call could not be kept')
    for (const { failed } of left) failed?.(error)
    this.#waiting = []
    return left.length + this.#lost
  }

  #take(waiting: Waiting, delayMs: number): void {
    if (this.#isGivenUp) {
      waiting.failed?.(new StoreError('closed', 'Records are no longer kept'))
      return
    }
    this.#waiting.push(waiting)
    this.#waitingBytes += waiting.entry.record.length
    if (this.#isRunning) return
    // Not in this very turn: calls that end in it are written together.
    this.#runIn(this.#waiting.length >= this.#options.bounds.batchRecords ? 0 : delayMs)
  }

  #runIn(delayMs: number): void {
    if (this.#timer !== undefined && delayMs >= this.#delayMs) return
    this.#timer?.cancel()
    this.#delayMs = delayMs
    this.#timer = this.#options.clock.setTimer(delayMs, () => this.#run())
  }

  #run(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#isRunning || this.#isGivenUp) return
    this.#isRunning = true
    void this.#work()
  }

  /** Never rejects: what fails is tried again until it is given up. */
  async #work(): Promise<void> {
    do {
      try {
        await this.#step()
        if (this.#failures > 0) this.#options.log.info({ chain: this.chain }, 'Records are kept again')
        this.#failures = 0
      } catch (error) {
        if (this.#failures++ === 0) this.#options.log.error({ error }, 'Records cannot be kept; trying again')
        if (!this.#isGivenUp) await this.#pause()
      }
    } while (!this.#isGivenUp && this.#hasMore)
    this.#isRunning = false
    this.#idle?.()
    if (this.#isGivenUp) return
    if (this.#waiting.length > 0) this.#runIn(this.#options.bounds.batchDelayMs)
    else this.#watchCheckpoint()
  }

  /** Whether to go on at once: what may wait for more to come with it does. */
  get #hasMore(): boolean {
    if (this.#failures > 0 || this.#batch !== undefined || this.#isCheckpointDue) return true
    if (this.#waiting.length === 0) return false
    const isMany = this.#waiting.length >= this.#options.bounds.batchRecords
    return isMany || this.#isClosing || this.#waiting.some(({ kept }) => kept !== undefined)
  }

  get #isCheckpointDue(): boolean {
    if (this.#unsigned === 0) return false
    const { bounds, clock } = this.#options
    if (this.#unsigned >= bounds.checkpointRecords) return true
    if (this.#isClosing) return this.#waiting.length === 0 && this.#batch === undefined
    return clock.now() - this.#unsignedSince >= bounds.checkpointMs
  }

  async #step(): Promise<void> {
    if (!this.#isOpen) await this.#open()
    // A checkpoint comes before what goes beyond it, so that none is missing between two others.
    if (this.#unsigned >= this.#options.bounds.checkpointRecords) await this.#sign()
    this.#batch ??= this.#toBatch()
    if (this.#batch !== undefined) await this.#append(this.#batch)
    if (this.#isCheckpointDue) await this.#sign()
  }

  /** Begins the chain with what came before it. */
  async #open(): Promise<void> {
    const [follows] = await this.#options.store.search({ limit: 1 })
    const entry = this.#options.first(follows)
    this.#waiting.unshift({ entry, kept: undefined, failed: undefined })
    this.#waitingBytes += entry.record.length
    this.#isOpen = true
  }

  #toBatch(): Batch | undefined {
    const { batchRecords } = this.#options.bounds
    const lost = this.#lost
    if (this.#waiting.length === 0) return undefined
    const from = this.#waiting.splice(0, batchRecords)
    const entries = from.map(({ entry }) => entry)
    if (lost > 0) entries.unshift(this.#options.lost(lost))
    if (this.#signedAt > 0) entries.unshift(this.#options.signed(this.#signedAt))
    this.#signedAt = 0
    const rows: AuditRow[] = []
    let { seq, hash: previous } = this.#tail
    const { chain } = this
    for (const { at: told, record, index } of entries) {
      const at = Math.max(this.#at, Math.round(told))
      this.#at = at
      seq++
      const hash = toHash({ chain, seq, at, previous, record })
      rows.push({ chain, seq, at, previous, hash, record, index })
      previous = hash
    }
    return { rows, from, lost }
  }

  async #append(batch: Batch): Promise<void> {
    const { rows, from, lost } = batch
    const last = rows.at(-1)
    if (last === undefined) return
    const start = this.#options.clock.now()
    try {
      await this.#options.store.append(rows)
    } catch (error) {
      // Tried again after an answer that was lost: then they are there.
      const isConflict = error instanceof StoreError && error.code === 'conflict'
      if (!isConflict || (await this.#options.store.last(this.chain))?.hash !== last.hash) throw error
    }
    this.#appends++
    this.#appendMs += this.#options.clock.now() - start
    this.#batch = undefined
    this.#lost -= lost
    this.#tail = { chain: this.chain, seq: last.seq, hash: last.hash }
    if (this.#unsigned === 0) this.#unsignedSince = this.#options.clock.now()
    this.#unsigned += rows.length
    for (const { entry, kept } of from) {
      this.#waitingBytes -= entry.record.length
      kept?.()
    }
  }

  async #sign(): Promise<void> {
    const { store, signer, anchor, clock, log } = this.#options
    const checkpoint = signCheckpoint(signer, this.#tail, Math.max(this.#at, clock.wallNow()))
    await store.addCheckpoint(checkpoint).catch((error: unknown) => {
      // Tried again after an answer that was lost.
      if (!(error instanceof StoreError && error.code === 'conflict')) throw error
    })
    this.#unsigned = 0
    this.#signedAt = checkpoint.seq
    await anchor?.(checkpoint).catch((error: unknown) => {
      log.error({ error, chain: this.chain, seq: checkpoint.seq }, 'A checkpoint could not be anchored')
    })
  }

  #watchCheckpoint(): void {
    this.#checkpointTimer?.cancel()
    if (this.#unsigned === 0 || this.#isGivenUp) return
    const { clock, bounds } = this.#options
    const left = this.#unsignedSince + bounds.checkpointMs - clock.now()
    this.#checkpointTimer = clock.setTimer(Math.max(0, left), () => this.#run())
  }

  /** Longer with each failure, ten seconds at most. */
  #pause(): Promise<void> {
    const ms = Math.min(10_000, 100 * 2 ** Math.min(this.#failures - 1, 7))
    return new Promise((resolve) => {
      const timer = this.#options.clock.setTimer(ms, resolve)
      this.#retryNow = () => {
        this.#retryNow = undefined
        timer.cancel()
        resolve()
      }
    })
  }
}
