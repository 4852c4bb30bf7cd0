import { createHash, randomUUID } from 'node:crypto'
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isObject, type JsonObject, parseObject } from '../json.ts'
import { checkOptions } from '../options/check.ts'
import { AMOUNT, required, type ShapesOf, text } from '../options/shape.ts'
import { createLine, type TokenStore } from '../store.ts'
import { sweepLeftovers } from './leftovers.ts'
import { LOCK_TIMES, type LockTimes, withLock } from './lock-file.ts'

export interface FileStoreOptions extends LockTimes {
  /** A folder of its own; made where it is missing. Nobody but its owner can look into it. */
  readonly folder: string
}

/**
 * Keeps tokens in files, for one person on one machine: readable by their owner alone, not encrypted. Any number of
 * processes may share a folder. What processes that were killed left in it goes when another begins to use it.
 * @throws {TypeError} for options that would not work
 */
export function createFileStore(options: FileStoreOptions): TokenStore {
  checkOptions('keep tokens in files', options, FILE_STORE)
  const { folder, ...times } = options
  const line = createLine()
  const fileOf = (key: string) => join(folder, createHash('sha256').update(key).digest('hex'))
  let swept: Promise<void> | undefined

  async function makeFolder(): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await chmod(folder, 0o700) // it may have been there
    swept ??= sweepLeftovers(folder, Math.max(times.staleMs ?? 0, times.lockTimeoutMs ?? LOCK_TIMES.lockTimeoutMs))
    await swept
  }

  return {
    async read(key) {
      const text = await readFile(`${fileOf(key)}.json`, 'utf8').catch(absent)
      const kept = text === undefined ? undefined : parseObject(text)
      return kept?.key === key && isObject(kept.value) ? kept.value : undefined
    },
    async write(key, value) {
      if (value === undefined) await rm(`${fileOf(key)}.json`, { force: true })
      else {
        await makeFolder()
        await replace(`${fileOf(key)}.json`, { key, value })
      }
    },
    exclusively: (key, work) =>
      line(key, async () => {
        await makeFolder()
        return withLock(`${fileOf(key)}.lock`, work, times)
      }),
  }
}

/** All of it or nothing, whatever happens meanwhile. */
async function replace(path: string, content: JsonObject): Promise<void> {
  const next = `${path}.${randomUUID()}`
  try {
    await writeFile(next, JSON.stringify(content), { mode: 0o600, flag: 'wx', flush: true })
    await rename(next, path)
  } catch (error) {
    await rm(next, { force: true })
    throw error
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined
  throw error
}

const FILE_STORE: ShapesOf<FileStoreOptions> = {
  folder: required(text('the path of a folder of its own')),
  staleMs: AMOUNT,
  lockTimeoutMs: AMOUNT,
}
