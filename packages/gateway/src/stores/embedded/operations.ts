import { Kysely, SqliteDialect, sql } from 'kysely'
import type { KeyRecord, KeyStore } from '../contract/key-store.ts'
import { SqlKeyStore } from '../sql/keys.ts'
import { migrate } from '../sql/migrations.ts'
import type { Tables } from '../sql/tables.ts'
import type { Database } from './database.ts'

/** What the threads of a store do, one at a time. Arguments and results cross between threads. */
export function createOperations(database: Database) {
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) })
  const keys = new SqlKeyStore(db)
  return {
    migrate: () => migrateFile(db),
    addKey: (key: KeyRecord) => keys.add(key),
    changeKey: (id: string, change: Parameters<KeyStore['change']>[1]) => keys.change(id, change),
    listKeys: (options: Parameters<KeyStore['list']>[0]) => keys.list(options),
  }
}

export type Operations = ReturnType<typeof createOperations>

/** In a transaction that begins by taking the right to write: of several processes one migrates, and others wait. */
function migrateFile(db: Kysely<Tables>): Promise<void> {
  return db.connection().execute(async (connection) => {
    await sql`begin immediate`.execute(connection)
    try {
      await migrate(connection, { text: 'text', whole: 'integer', byKey: 'without rowid' })
      await sql`commit`.execute(connection)
    } catch (error) {
      await sql`rollback`.execute(connection)
      throw error
    }
  })
}
