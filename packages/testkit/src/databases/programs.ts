import { execFileSync, spawn } from 'node:child_process'
import { accessSync, chownSync, constants, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/** What a database server of Debian's packages has in common with the next one. */

/**
 * Finds a program by its name, in folders and then on the path. A test that needs it skips visibly where it is missing.
 * @throws {Error} where it is missing and `CI` is set: there a skipped test would look like one that passed
 */
export function findProgram(name: string, folders: readonly string[] = []): string | undefined {
  const places = [...folders, ...(process.env.PATH ?? '').split(delimiter)].filter((folder) => folder !== '')
  const found = places.map((folder) => join(folder, name)).find(isExecutable)
  const { CI } = process.env
  if (found === undefined && CI !== undefined && CI !== '' && CI !== 'false') {
    throw new Error(`Cannot find "${name}", which tests need: run ".ci/run databases", which installs it`)
  }
  return found
}

/** Newest version first. */
export function postgresFolders(root = '/usr/lib/postgresql'): readonly string[] {
  try {
    const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a))
    return versions.map((version) => join(root, version, 'bin'))
  } catch {
    return []
  }
}

export interface Account {
  readonly uid?: number
  readonly gid?: number
}

/** As root, the account of a server that refuses to run as root; otherwise ours. */
export function accountOf(name: string): Account {
  if (process.getuid?.() !== 0) return {}
  const idOf = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }))
  return { uid: idOf('-u'), gid: idOf('-g') }
}

/** A folder of its own, that `account` may use. */
export function makeFolder(prefix: string, { uid, gid }: Account): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), prefix)))
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid)
  return folder
}

export interface RunningServer {
  /** Asks it to end by a signal, and resolves when it has ended. */
  end(signal: NodeJS.Signals): Promise<void>
}

export interface ServerOptions {
  readonly account: Account
  readonly cwd: string
  /** What it writes once it can be used. */
  readonly ready: RegExp
}

/** Starts a server, and resolves when it says that it is ready. It ends with this process at the latest. */
export function runServer(program: string, args: readonly string[], options: ServerOptions): Promise<RunningServer> {
  const { account, cwd, ready } = options
  const child = spawn(program, args, { ...account, cwd, env: { PATH: process.env.PATH, LC_ALL: 'C' } })
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  let said = ''
  return new Promise((resolve, reject) => {
    const hear = (text: string) => {
      said = (said + text).slice(-10_000)
      if (ready.test(said)) resolve(server)
    }
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', hear)
    const server: RunningServer = {
      async end(signal) {
        child.kill(signal)
        await ended
        process.removeListener('exit', kill)
      },
    }
    child.once('error', reject)
    void ended.then(() => reject(new Error(`"${program}" ended before it was ready:\n${said}`)))
  })
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
