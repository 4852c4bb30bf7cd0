import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Takes away what processes that were killed left behind: files that were about to replace another, and locks moved
 * aside to be judged. Neither is ever read or held by its name alone, and who made one is done with it in a moment;
 * so one that is older than any wait for a lock is nobody's. Locks themselves are left to who wants them.
 */
export async function sweepLeftovers(folder: string, olderThanMs: number): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    const path = join(folder, name)
    if (LEFTOVER.test(name) && (await isOlder(path, olderThanMs))) await rm(path, { force: true }).catch(() => {}) // next time
  }
}

async function isOlder(path: string, ageMs: number): Promise<boolean> {
  const status = await lstat(path).catch(() => undefined) // another may have swept it
  return status?.isFile() === true && Date.now() - status.mtimeMs > ageMs
}

/** `<digest>.json.<uuid>` of the store, `<digest>.lock.<uuid>` of its locks. */
const LEFTOVER = /^[0-9a-f]{64}\.(?:json|lock)\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
