import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { AuthError } from '../errors.ts'
import { parseObject } from '../json.ts'

export interface LockTimes {
  /** A lock whose owner has shown no sign of life for so long is nobody's. Default 10 s. */
  readonly staleMs?: number
  /** How long to wait for a lock. Default 30 s. */
  readonly lockTimeoutMs?: number
}

export const LOCK_TIMES = Object.freeze({ staleMs: 10_000, lockTimeoutMs: 30_000 }) satisfies LockTimes

/**
 * Does work while nobody else does work with the same lock. A file that must not have been there before is the lock;
 * its owner touches it now and then. Of an owner that is gone it is taken over: at once where it ran on this machine,
 * else when it was not touched for too long.
 */
export async function withLock<T>(path: string, work: () => Promise<T>, times: LockTimes = {}): Promise<T> {
  const { staleMs = LOCK_TIMES.staleMs, lockTimeoutMs = LOCK_TIMES.lockTimeoutMs } = times
  const owner = randomUUID()
  await acquire(path, owner, staleMs, lockTimeoutMs)
  const alive = setInterval(() => void touch(path), staleMs / 4)
  alive.unref()
  try {
    return await work()
  } finally {
    clearInterval(alive)
    if ((await ownerOf(path))?.owner === owner) await rm(path, { force: true })
  }
}

async function acquire(path: string, owner: string, staleMs: number, timeoutMs: number): Promise<void> {
  const until = Date.now() + timeoutMs
  const content = JSON.stringify({ owner, pid: process.pid, host: hostname() })
  for (;;) {
    if (await create(path, content)) return
    if (await isAbandoned(path, staleMs)) await takeAway(path, staleMs)
    else if (Date.now() > until) {
      throw new AuthError('internal.error', `Cannot use stored tokens: another process holds "${path}"`)
    } else await sleep(POLL_MS + Math.random() * POLL_MS) // there is no event for a file that goes away
  }
}

async function create(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { mode: 0o600, flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function isAbandoned(path: string, staleMs: number): Promise<boolean> {
  const touched = await stat(path).catch(() => undefined)
  if (touched === undefined) return false
  if (Date.now() - touched.mtimeMs > staleMs) return true
  const holder = await ownerOf(path)
  return holder?.host === hostname() && typeof holder.pid === 'number' && !isRunning(holder.pid)
}

/**
 * Two that find a lock abandoned must not both take it away, the second that which the first has just made. So it is
 * moved aside, which only one can do, and put back if it turns out to be alive.
 */
async function takeAway(path: string, staleMs: number): Promise<void> {
  const aside = `${path}.${randomUUID()}`
  try {
    await rename(path, aside)
  } catch {
    return
  }
  if (await isAbandoned(aside, staleMs)) await rm(aside, { force: true })
  else await rename(aside, path).catch(() => {})
}

async function ownerOf(path: string) {
  return parseObject(await readFile(path, 'utf8').catch(() => ''))
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0) // asks, and does nothing
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

async function touch(path: string): Promise<void> {
  const now = new Date()
  await utimes(path, now, now).catch(() => {}) // taken over: the end of the work will see it
}

const POLL_MS = 20
