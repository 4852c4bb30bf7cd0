import { isDatabaseFile, readLines } from './sql/backup-file.ts'
import type { Batch } from './sql/dump.ts'

/** What is in a backup, whichever kind of store wrote it. */
export async function* readBackup(path: string): AsyncGenerator<Batch> {
  if (!isDatabaseFile(path)) {
    yield* readLines(path)
    return
  }
  const { readDatabase } = await import('./embedded/backup.ts')
  yield* readDatabase(path)
}
