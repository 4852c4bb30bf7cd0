import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../port.ts'
import {
  accountOf,
  findProgram,
  makeFolder,
  postgresFolders,
  type RunningServer,
  removeFolder,
  runServer,
} from './programs.ts'

const run = promisify(execFile)

/** A private PostgreSQL server on a free port of 127.0.0.1, with a user that has a password. */
export interface PostgresServer {
  readonly port: number
  readonly password: string
  /** A new empty database. @returns its URL */
  createDatabase(): Promise<string>
  /** Stops it at once, as a crash does: connections are cut, and what was acknowledged must be there afterwards. */
  stop(): Promise<void>
  /** At the same port, with the same databases. */
  start(): Promise<void>
  /** Runs SQL as its owner, and gives what it prints: a line for each row, without headings. */
  query(database: string, text: string): Promise<string>
  /** Ends it and removes all it kept. */
  close(): Promise<void>
}

/**
 * The folder of PostgreSQL's programs; undefined where there are none, which a test tells by `test.skipIf`.
 * @throws {Error} where they are missing and `CI` is set
 */
export function findPostgres(): string | undefined {
  const initdb = findProgram('initdb', postgresFolders())
  return initdb === undefined ? undefined : dirname(initdb)
}

/** @param programs as {@link findPostgres} finds them; `settings` as `postgresql.conf` names them */
export async function startPostgres(
  programs: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<PostgresServer> {
  const account = accountOf('postgres')
  const folder = makeFolder('crosspoint-postgres-', account)
  const password = "it's a pass/word?"
  const secret = join(folder, 'password')
  writeFileSync(secret, password)
  const cluster = join(folder, 'cluster')
  const options = { ...account, cwd: folder }
  await run(
    join(programs, 'initdb'),
    ['-D', cluster, '-U', 'crosspoint', '-A', 'scram-sha-256', `--pwfile=${secret}`, '-E', 'UTF8', '--no-sync'],
    options,
  )
  const port = await freePort()
  const args = ['-D', cluster, '-p', `${port}`, '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=']
  for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`)
  const env = { ...process.env, PGPASSWORD: password, PGHOST: '127.0.0.1', PGPORT: `${port}`, PGUSER: 'crosspoint' }
  const start = () =>
    runServer(join(programs, 'postgres'), args, {
      account,
      cwd: folder,
      ready: /database system is ready to accept connections\s*$/,
    })
  let server: RunningServer | undefined = await start()
  let count = 0

  const query = async (database: string, text: string) => {
    const { stdout } = await run(join(programs, 'psql'), ['-XAtq', '-d', database, '-c', text], { env })
    return stdout.trimEnd()
  }
  const stop = async () => {
    await server?.end('SIGQUIT')
    server = undefined
  }
  return {
    port,
    password,
    query,
    stop,
    async createDatabase() {
      count += 1
      await query('postgres', `create database test_${count}`)
      return `postgres://crosspoint:${encodeURIComponent(password)}@127.0.0.1:${port}/test_${count}`
    },
    async start() {
      server ??= await start()
    },
    async close() {
      await stop()
      removeFolder(folder)
    },
  }
}
