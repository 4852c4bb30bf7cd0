import { randomBytes } from 'node:crypto'
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
import { defaultKeyFile } from './audit-key.ts'

/** Beside the key of evidence, in the folder of a person's own configuration. */
export function defaultSecretFile(env: Readonly<Record<string, string | undefined>>): string {
  return `${dirname(defaultKeyFile(env))}/auth-server.key`
}

/**
 * The 32 random bytes in a file, which is made (readable by its owner only) where there is none.
 * @throws {SecretFileError} where the file cannot be used, or others may read it
 */
export function openSecretFile(path: string): Uint8Array {
  return readSecret(path) ?? makeSecret(path)
}

/** Its message names the file and never what is in it. */
export class SecretFileError extends Error {
  override readonly name = 'SecretFileError'
}

function readSecret(path: string): Uint8Array | undefined {
  let descriptor: number
  try {
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new SecretFileError(`The key file "${path}" cannot be read`, { cause })
  }
  try {
    const found = fstatSync(descriptor)
    if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
      throw new SecretFileError(`Others may read the key file "${path}": allow its owner only (chmod 600)`)
    }
    const secret = Buffer.from(found.isFile() && found.size < 1_024 ? readFileSync(descriptor, 'utf8') : '', 'base64')
    if (secret.length !== BYTES) throw new SecretFileError(`The file "${path}" holds no key of 32 bytes`)
    return secret
  } finally {
    closeSync(descriptor)
  }
}

/** Two processes may start at once: the first to give the file its name wins, and never is there half a key. */
function makeSecret(path: string): Uint8Array {
  const secret = randomBytes(BYTES)
  const draft = `${path}.${process.pid}.new`
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const descriptor = openSync(draft, 'wx', 0o600)
    writeSync(descriptor, `${secret.toString('base64')}\n`)
    closeSync(descriptor)
    linkSync(draft, path)
    return secret
  } catch (cause) {
    const isTaken = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
    const first = isTaken ? readSecret(path) : undefined
    if (first !== undefined) return first
    throw new SecretFileError(`The key file "${path}" cannot be written`, { cause })
  } finally {
    rmSync(draft, { force: true })
  }
}

const BYTES = 32
