import type { CounterStore, KeptCount } from '../contract/counter-store.ts'
import type { Worker } from './worker.ts'

/** All of it is done by threads: calls wait for none of it. */
export class EmbeddedCounterStore implements CounterStore {
  readonly #writer: Worker
  readonly #reader: Worker

  constructor(writer: Worker, reader: Worker) {
    this.#writer = writer
    this.#reader = reader
  }

  save(counts: readonly KeptCount[]): Promise<void> {
    return this.#writer.call('saveCounts', counts)
  }

  read(options: Parameters<CounterStore['read']>[0]): Promise<readonly KeptCount[]> {
    return this.#reader.call('readCounts', options)
  }

  forget(now: number): Promise<void> {
    return this.#writer.call('forgetCounts', now)
  }
}
