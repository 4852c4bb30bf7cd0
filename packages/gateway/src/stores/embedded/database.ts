import { chmodSync, closeSync, fstatSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import Libsql from 'libsql'
import { StoreError } from '../contract/store-error.ts'

export type Database = InstanceType<typeof Libsql>

/** One that was prepared, as much of it as is used here. */
export interface Statement {
  get(...parameters: readonly unknown[]): unknown
  all(...parameters: readonly unknown[]): unknown[]
  run(...parameters: readonly unknown[]): unknown
}

/** Makes the file and its folder where they are not there, for nobody but their owner. */
export function makeFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const file = openSync(path, 'a', 0o600)
  try {
    // What SQLite puts beside it gets the same rights.
    if ((fstatSync(file).mode & 0o077) !== 0) chmodSync(path, 0o600)
  } finally {
    closeSync(file)
  }
}

export interface DatabaseOptions {
  readonly path: string
  /** How long to wait for another process that writes. */
  readonly timeoutMs: number
}

/**
 * A connection that may write. Writers of a WAL never wait for readers, nor readers for them. `full`: a commit is on the
 * disk when it returns, so that what was acknowledged survives a power cut as well as the loss of the process.
 */
export function openToWrite({ path, timeoutMs }: DatabaseOptions): Database {
  const database = new Libsql(path)
  database.pragma(`busy_timeout = ${timeoutMs}`)
  checkOwner(database)
  database.pragma('journal_mode = wal')
  database.pragma('synchronous = full')
  // What many appends write again and again, as the ends of indexes, goes into the file itself once: 32 MiB later.
  database.pragma('wal_autocheckpoint = 8000')
  return database
}

/** A connection that only reads, of a file that was opened to write before. */
export function openToRead({ path, timeoutMs }: DatabaseOptions): Database {
  const database = new Libsql(path)
  database.pragma(`busy_timeout = ${timeoutMs}`)
  database.pragma('query_only = on')
  return database
}

/** "Crpt": what tells our files from those of other programs. */
const APPLICATION_ID = 0x43727074

/** Nobody's file is written into that has tables which are not ours. */
function checkOwner(database: Database): void {
  const [{ application_id: id }] = database.pragma('application_id') as [{ application_id: number }]
  if (id === APPLICATION_ID) return
  const tables = database.prepare('select name from sqlite_master limit 1').all()
  if (id !== 0 || tables.length > 0) {
    throw new StoreError('version', 'Cannot open the store: the file is the database of another program')
  }
  database.pragma(`application_id = ${APPLICATION_ID}`)
}
