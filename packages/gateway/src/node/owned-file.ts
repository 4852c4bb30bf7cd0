import { randomUUID } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** How a file that holds a secret is read. */
export interface OwnedFile {
  /** What messages call it; `The key file "…"`. */
  readonly what: 'key file' | 'file'
  /** What it has to be; `"…" is no …`. */
  readonly kind: string
  readonly maxBytes: number
  /** Rights that nobody but the owner may have. Default `0o077`: none. */
  readonly forbidden?: number
  /** Makes the error; its message names the file and never what is in it. */
  readonly fault: (message: string, cause?: unknown) => Error
}

/**
 * The text of a file that its owner alone may read; undefined where there is none. What is read is what was looked at,
 * whatever the path leads to a moment later.
 * @throws what `fault` makes, where it cannot be used
 */
export function readOwnedFile(path: string, file: OwnedFile): string | undefined {
  const { what, kind, maxBytes, forbidden = 0o077, fault } = file
  let descriptor: number
  try {
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined
    throw fault(`The ${what} "${path}" cannot be read`, cause)
  }
  try {
    const found = fstatSync(descriptor)
    if (!found.isFile() || found.size > maxBytes) throw fault(`"${path}" is no ${kind}`)
    if (process.platform !== 'win32' && (found.mode & forbidden) !== 0) {
      const may = forbidden === 0o077 ? 'read' : 'read or change'
      throw fault(`Others may ${may} the ${what} "${path}": allow its owner only (chmod 600)`)
    }
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Makes such a file. Two processes may begin at once, also of one number on two machines: the first to give the file its name
 * wins, and never is there half a file.
 * @returns false where there was one by then
 * @throws what `fault` makes, where it cannot be written
 */
export function makeOwnedFile(path: string, text: string, { what, fault }: OwnedFile): boolean {
  const draft = `${path}.${randomUUID()}.new`
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const descriptor = openSync(draft, 'wx', 0o600)
    try {
      writeSync(descriptor, text)
    } finally {
      closeSync(descriptor)
    }
    linkSync(draft, path)
    return true
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return false
    throw fault(`The ${what} "${path}" cannot be written`, cause)
  } finally {
    rmSync(draft, { force: true })
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
