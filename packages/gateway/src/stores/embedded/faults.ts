import { StoreError, type StoreErrorCode } from '../contract/store-error.ts'

/**
 * What the database says, as the ports say it.
 * @param doing such as `Cannot open the store`
 */
export function toStoreError(error: unknown, doing: string): StoreError {
  if (error instanceof StoreError) return error
  const [code, reason] = explain(error)
  return new StoreError(code, `${doing}: ${reason}`, { cause: error })
}

/** A failed open is told in a text only, with SQLite's number at its end. */
function explain(error: unknown): readonly [StoreErrorCode, string] {
  const message = error instanceof Error ? error.message : String(error)
  const raw =
    error instanceof Error && 'rawCode' in error ? Number(error.rawCode) : Number(/: (\d+)"\)$/.exec(message)?.[1])
  const known = REASONS.get(raw & 0xff)
  if (known !== undefined) return known
  const name =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown reason'
  return ['unavailable', SYSTEM_REASONS[name] ?? name]
}

/** By SQLite's primary result codes. */
const REASONS: ReadonlyMap<number, readonly [StoreErrorCode, string]> = new Map([
  // Statements are fixed, so that it is the file which does not fit them.
  [1, ['damaged', 'its tables are not as they should be; restore a backup']],
  [3, ['unavailable', 'permission denied']],
  [5, ['unavailable', 'another process has been writing for too long']],
  [6, ['unavailable', 'it is being written']],
  [8, ['unavailable', 'it cannot be written']],
  [10, ['unavailable', 'its disk fails']],
  [11, ['damaged', 'the file is damaged; restore a backup']],
  [13, ['unavailable', 'its disk is full']],
  [14, ['unavailable', 'the file or its folder cannot be opened']],
  [26, ['damaged', 'the file is no database, or damaged; restore a backup, or move it away to begin anew']],
])

const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'its disk cannot be written',
  ENOSPC: 'its disk is full',
  ENOTDIR: 'a part of its path is no folder',
  EISDIR: 'it is a folder',
  ENAMETOOLONG: 'its path is too long',
}
