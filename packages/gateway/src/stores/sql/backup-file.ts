import { closeSync, createReadStream, fsyncSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { StoreError } from '../contract/store-error.ts'
import { type Batch, type DumpedRow, isDumpedTable, TABLES } from './dump.ts'
import { STORE_VERSION } from './migrations.ts'

/**
 * Makes a file that nobody else may read, and removes it where it cannot be finished.
 * @param write is given the file, empty
 * @throws {StoreError} `conflict` where there is a file of that name already
 */
export async function writeBackup<T>(path: string, write: (file: number) => Promise<T>): Promise<T> {
  const file = createFile(path)
  try {
    const result = await write(file)
    fsyncSync(file)
    return result
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
}

/** Lines of JSON: one that says what this is, one for each row, one that says how many there are. */
export async function writeLines(file: number, batches: AsyncIterable<Batch>): Promise<void> {
  const put = (line: unknown) => writeSync(file, `${JSON.stringify(line)}\n`)
  put({ crosspoint: 'store', version: STORE_VERSION })
  let count = 0
  for await (const { table, rows } of batches) {
    count += rows.length
    writeSync(file, rows.map((row) => `${JSON.stringify({ table, row })}\n`).join(''))
  }
  put({ rows: count })
}

/** @throws {StoreError} `damaged` where it is not whole, `version` where another version wrote it */
export async function* readLines(path: string): AsyncGenerator<Batch> {
  const lines = createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY })
  let count = -1
  let isWhole = false
  for await (const text of lines) {
    const line = parseLine(text)
    if (count < 0) checkHeader(line)
    else if (isDumpedTable(line.table)) yield { table: line.table, rows: [toRow(TABLES[line.table].columns, line.row)] }
    else isWhole = line.rows === count
    count += 1
  }
  if (!isWhole) throw damaged('it is cut off, or a part of it is missing')
}

/** @throws {StoreError} `version` */
export function checkBackupVersion(found: unknown): void {
  if (found === STORE_VERSION) return
  throw new StoreError(
    'version',
    'Cannot read the backup: another version of Crosspoint wrote it; restore it with that',
  )
}

/** Whether a file is an SQLite database, as an embedded store writes its backups. */
export function isDatabaseFile(path: string): boolean {
  const file = openFile(path)
  try {
    const start = Buffer.alloc(MAGIC.length)
    readSync(file, start)
    return start.toString('latin1') === MAGIC
  } finally {
    closeSync(file)
  }
}

const MAGIC = 'SQLite format 3\0'

function createFile(path: string): number {
  try {
    return openSync(path, 'wx', 0o600)
  } catch (cause) {
    const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
    if (exists) throw new StoreError('conflict', 'Cannot write the backup: there is a file of that name', { cause })
    throw new StoreError('unavailable', 'Cannot write the backup: the file cannot be made', { cause })
  }
}

function openFile(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (cause) {
    throw new StoreError('unavailable', 'Cannot read the backup: the file cannot be opened', { cause })
  }
}

type Line = Readonly<Record<string, unknown>>

function parseLine(text: string): Line {
  try {
    const value: unknown = JSON.parse(text)
    // Its members are looked at where they are used.
    if (typeof value === 'object' && value !== null) return value as Line
  } catch {
    // Told below.
  }
  throw damaged('a line of it is no JSON object')
}

function checkHeader({ crosspoint, version }: Line): void {
  if (crosspoint !== 'store') throw damaged('it does not begin as one')
  checkBackupVersion(version)
}

function toRow(columns: readonly string[], row: unknown): DumpedRow {
  // As above.
  const given = new Map(typeof row === 'object' && row !== null ? Object.entries(row as Line) : [])
  const entries = columns.map((name) => {
    const value = given.get(name)
    if (value !== null && typeof value !== 'string' && !Number.isSafeInteger(value))
      throw damaged('a row of it is not whole')
    return [name, value as string | number | null] as const
  })
  return Object.fromEntries(entries)
}

function damaged(why: string): StoreError {
  return new StoreError('damaged', `Cannot read the backup: ${why}`)
}
