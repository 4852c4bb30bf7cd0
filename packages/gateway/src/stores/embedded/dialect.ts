import { CompiledQuery, type DatabaseConnection, type Driver, SqliteDialect, SqliteDriver } from 'kysely'
import type { Database } from './database.ts'

/**
 * SQLite as kysely speaks it, but that a transaction begins by taking the right to write: one that begins with reading
 * is refused at once where another process wrote since, instead of waiting for it.
 */
export class WritingDialect extends SqliteDialect {
  readonly #database: Database

  constructor(database: Database) {
    super({ database })
    this.#database = database
  }

  override createDriver(): Driver {
    return new WritingDriver(this.#database)
  }
}

class WritingDriver extends SqliteDriver {
  readonly #database: Database

  constructor(database: Database) {
    super({ database })
    this.#database = database
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  /** A full disk has ended it already: the reason must not be hidden behind a second complaint. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.inTransaction) await connection.executeQuery(CompiledQuery.raw('rollback'))
  }
}

/** As {@link WritingDialect} does it, for statements that were prepared by hand. */
export function inTransaction(database: Database, action: () => void): void {
  database.exec('begin immediate')
  try {
    action()
    database.exec('commit')
  } catch (error) {
    if (database.inTransaction) database.exec('rollback')
    throw error
  }
}
