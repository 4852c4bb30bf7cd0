import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { sha256 } from './sha256.ts'
import { stateFolder } from './state-folder.ts'

/** What whoever runs commands on this machine needs to ask a gateway that runs: for its user’s eyes only. */
export interface AdminPass {
  /** Of its admin API, without a path. */
  readonly url: string
  /** Made for its start; absent where the configuration has it. */
  readonly token?: string
  /** Of the process. */
  readonly pid: number
}

type Environment = Readonly<Record<string, string | undefined>>

/** Where the pass of a gateway on a configuration file is. */
export function adminPassPath(configPath: string, env?: Environment): string {
  return join(stateFolder(env), 'admin', `${sha256(resolve(configPath)).slice(0, 22)}.json`)
}

/**
 * Leaves a pass in a file that its owner alone may read, in place of that of an earlier start.
 * @returns takes it away again, unless it is another gateway’s by then
 * @throws the error of the system where it cannot be written
 */
export function leaveAdminPass(path: string, pass: AdminPass): () => void {
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 })
  const draft = `${path}.${randomUUID()}`
  writeFileSync(draft, `${JSON.stringify(pass)}\n`, { mode: 0o600, flag: 'wx' })
  renameSync(draft, path)
  return () => {
    const found = findAdminPass(path)
    if (found?.pid === pass.pid && found.url === pass.url) rmSync(path, { force: true })
  }
}

/** The pass of a gateway that may still run; undefined where there is none, or where others could have written it. */
export function findAdminPass(path: string): AdminPass | undefined {
  try {
    const { uid, mode } = statSync(path)
    const isOurs = process.getuid === undefined || (uid === process.getuid() && (mode & 0o077) === 0)
    const pass: unknown = isOurs ? JSON.parse(readFileSync(path, 'utf8')) : undefined
    return isPass(pass) && isAlive(pass.pid) ? pass : undefined
  } catch {
    // None is there, or none that can be read: then nobody left one for us.
    return undefined
  }
}

function isPass(value: unknown): value is AdminPass {
  if (typeof value !== 'object' || value === null) return false
  const { url, token, pid } = value as Readonly<Record<string, unknown>>
  const isToken = token === undefined || typeof token === 'string'
  return typeof url === 'string' && URL.canParse(url) && isToken && typeof pid === 'number'
}

/** A process of that number; whether it is the one, the answer to the first question shows. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
