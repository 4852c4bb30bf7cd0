import type { KeyRecord, KeyStore } from '../contract/key-store.ts'
import { fromKeyRow } from '../sql/key-rows.ts'
import type { KeyRow } from '../sql/tables.ts'
import { isKeepable } from '../sql/texts.ts'
import type { Database, Statement } from './database.ts'
import { toStoreError } from './faults.ts'
import type { Worker } from './worker.ts'

/** What a call waits for is read here, in microseconds; all else is done by threads. */
export class EmbeddedKeyStore implements KeyStore {
  readonly #writer: Worker
  readonly #reader: Worker
  readonly #find: Statement
  readonly #version: Statement

  constructor(database: Database, writer: Worker, reader: Worker) {
    this.#writer = writer
    this.#reader = reader
    this.#find = database.prepare('select * from api_keys where id = ?')
    this.#version = database.prepare('select version from api_keys_version')
  }

  add(key: KeyRecord): Promise<void> {
    return this.#writer.call('addKey', key)
  }

  async find(id: string): Promise<KeyRecord | undefined> {
    if (!isKeepable(id)) return undefined
    // The statement names the table.
    const row = this.#read(this.#find, id) as KeyRow | undefined
    return row === undefined ? undefined : fromKeyRow(row)
  }

  list(options: Parameters<KeyStore['list']>[0]): Promise<readonly KeyRecord[]> {
    return this.#reader.call('listKeys', options)
  }

  change(id: string, change: Parameters<KeyStore['change']>[1]): Promise<KeyRecord | undefined> {
    return this.#writer.call('changeKey', id, change)
  }

  async version(): Promise<number> {
    const row = this.#read(this.#version) as { readonly version: number }
    return row.version
  }

  #read(statement: Statement, ...parameters: readonly unknown[]): unknown {
    this.#writer.checkOpen()
    try {
      return statement.get(...parameters)
    } catch (error) {
      throw toStoreError(error, 'Cannot read the store')
    }
  }
}
