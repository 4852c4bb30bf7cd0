import { Kysely, SqliteDialect } from 'kysely'
import { checkBackupVersion } from '../sql/backup-file.ts'
import { type Batch, dump } from '../sql/dump.ts'
import { versionOf } from '../sql/migrations.ts'
import type { Tables } from '../sql/tables.ts'
import { type Database, openToRead } from './database.ts'
import { toStoreError } from './faults.ts'

/** Writes all of a store, as it is at one moment, into an empty file. It is a store itself, of one file. */
export function vacuumInto(database: Database, path: string): void {
  database.pragma('query_only = off')
  try {
    database.prepare('vacuum into ?').run([path])
  } finally {
    database.pragma('query_only = on')
  }
}

/** What is in a backup of an embedded store. */
export async function* readDatabase(path: string): AsyncGenerator<Batch> {
  const database = openToRead({ path, timeoutMs: 1_000 })
  try {
    const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) })
    checkBackupVersion(await versionOf(db))
    yield* dump(db)
  } catch (error) {
    throw toStoreError(error, 'Cannot read the backup')
  } finally {
    database.close()
  }
}
