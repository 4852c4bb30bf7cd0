import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely'
import pg from 'pg'
import { type Log, SILENT } from '../../log.ts'
import type { Db, Tables } from '../sql/tables.ts'
import { parseConnection } from './connection.ts'
import { isAnswer } from './faults.ts'

export interface PoolOptions {
  /** A secret. */
  readonly url: string
  /** Most connections. Default 10. */
  readonly maxConnections?: number
  /** Longest wait for a connection, and for an answer. Default 5 s; 0 for none. */
  readonly timeoutMs?: number
  readonly log?: Log
}

/** @throws {StoreError} `invalid` where the URL cannot be used */
export function openPool({ url, maxConnections = 10, timeoutMs = 5_000, log = SILENT }: PoolOptions): Db {
  const pool = new pg.Pool({
    ...parseConnection(url),
    application_name: 'crosspoint',
    max: maxConnections,
    connectionTimeoutMillis: timeoutMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    allowExitOnIdle: true,
    types: { getTypeParser },
    ...(timeoutMs > 0 && {
      statement_timeout: timeoutMs,
      lock_timeout: timeoutMs,
      idle_in_transaction_session_timeout: Math.max(60_000, timeoutMs),
      // For a server that says nothing any more, not even that it took too long.
      query_timeout: timeoutMs + 1_000,
    }),
  })
  // A connection nobody uses was lost, as when the server restarts: the next one who needs it opens another.
  pool.on('error', () => log.debug({}, 'A connection with the database was lost'))
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: toCareful(pool) }) })
}

/** Gives no connection to a second user that failed its first one. */
function toCareful(pool: pg.Pool): PostgresPool {
  return {
    async connect() {
      const client = await pool.connect()
      let isBroken = false
      // One that breaks while it is in use says so by an event too, which would end the process.
      const onError = () => {
        isBroken = true
      }
      client.on('error', onError)
      const query = async (text: string, parameters: unknown[]) => {
        try {
          return await client.query(text, parameters)
        } catch (error) {
          isBroken ||= !isAnswer(error)
          throw error
        }
      }
      // The other way kysely asks is for a cursor, which nobody here does.
      const release = () => {
        client.removeListener('error', onError)
        client.release(isBroken)
      }
      return { query, release } as unknown as PostgresPoolClient
    },
    end: () => pool.end(),
  }
}

/** Whole numbers of 64 bits are times and counts here, all of them exact in 53. */
const getTypeParser: typeof pg.types.getTypeParser = ((oid: number, format?: 'text' | 'binary') =>
  oid === pg.types.builtins.INT8 && format !== 'binary'
    ? Number
    : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser
