import type { AuditQuery, AuditRow, AuditStore, Checkpoint } from '../contract/audit-store.ts'
import { forgetAll } from '../sql/audit.ts'
import { packRows } from './packed-rows.ts'
import type { Worker } from './worker.ts'

/** All of it is done by threads: one writes, the other reads, so that a long search holds up no append. */
export class EmbeddedAuditStore implements AuditStore {
  readonly #writer: Worker
  readonly #reader: Worker

  constructor(writer: Worker, reader: Worker) {
    this.#writer = writer
    this.#reader = reader
  }

  append(rows: readonly AuditRow[]): Promise<void> {
    return this.#writer.call('append', packRows(rows))
  }

  last(chain: string): Promise<AuditRow | undefined> {
    return this.#reader.call('lastRow', chain)
  }

  chains(): ReturnType<AuditStore['chains']> {
    return this.#reader.call('chains')
  }

  read(chain: string, options: Parameters<AuditStore['read']>[1]): Promise<readonly AuditRow[]> {
    return this.#reader.call('readRows', chain, options)
  }

  search(query: AuditQuery): Promise<readonly AuditRow[]> {
    return this.#reader.call('searchRows', query)
  }

  addCheckpoint(checkpoint: Checkpoint): Promise<void> {
    return this.#writer.call('addCheckpoint', checkpoint)
  }

  checkpoints(chain: string): Promise<readonly Checkpoint[]> {
    return this.#reader.call('checkpoints', chain)
  }

  forget(olderThan: number): Promise<number> {
    return forgetAll(() => this.#writer.call('forgetSome', olderThan))
  }
}
