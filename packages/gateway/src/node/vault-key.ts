import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { VaultConfig } from '../config/model-secrets.ts'
import { CredentialError } from '../credentials/credential-error.ts'
import { formatVaultKey, parseVaultKey } from '../credentials/vault.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The keys of the vault, the one in force first. Where none is configured it is made, in a file that its owner alone may
 * read.
 * @param storePath the file of an embedded store: no key may lie beside it
 * @throws {CredentialError} where one cannot be used
 */
export function readVaultKeys(
  config: VaultConfig,
  env: Environment,
  storePath: string | undefined,
): readonly Uint8Array<ArrayBuffer>[] {
  const { key, keyFile, previousKeys, previousKeyFiles } = config
  const read = (path: string) => toKey(readKeyFile(checkApart(path, storePath)), `The file "${path}"`)
  const current = key === undefined ? readOrMake(keyFile, env, storePath) : toKey(key, '"vault.key"')
  return [
    current,
    ...previousKeys.map((text) => toKey(text, 'One of "vault.previousKeys"')),
    ...previousKeyFiles.map(read),
  ]
}

/** In the folder of a person's own configuration: stores are in another one by default. */
export function defaultVaultKeyFile(env: Environment): string {
  if (process.platform === 'win32' && env.APPDATA) return join(env.APPDATA, 'crosspoint', 'vault.key')
  return join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'crosspoint', 'vault.key')
}

function readOrMake(keyFile: string | undefined, env: Environment, storePath: string | undefined) {
  const path = keyFile ?? defaultVaultKeyFile(env)
  try {
    return toKey(readKeyFile(checkApart(path, storePath)), `The file "${path}"`)
  } catch (error) {
    const isMissing = error instanceof CredentialError && codeOf(error.cause) === 'ENOENT'
    if (!isMissing) throw error
  }
  makeKeyFile(path)
  return toKey(readKeyFile(checkApart(path, storePath)), `The file "${path}"`)
}

/** Who takes the store away, in a backup or with its folder, must not take the key along. */
function checkApart(path: string, storePath: string | undefined): string {
  if (storePath !== undefined && folderOf(path) === folderOf(storePath)) {
    throw new CredentialError('vault', `The key file "${path}" lies beside the store it opens: keep it elsewhere`)
  }
  return path
}

function folderOf(path: string): string {
  try {
    return dirname(realpathSync(path))
  } catch {
    return dirname(path)
  }
}

function toKey(text: string, what: string): Uint8Array<ArrayBuffer> {
  const key = parseVaultKey(text)
  if (key !== undefined) return key
  throw new CredentialError(
    'vault',
    `${what} holds no key: write 32 bytes as base64, as "openssl rand -base64 32" prints`,
  )
}

/**
 * The text of a file that holds a secret.
 * @throws {CredentialError} where it cannot be read, or where others could read or change it
 */
export function readSecretFile(path: string): string {
  return readGuarded(path, mayBeReadByAll(path) ? 0o022 : 0o027)
}

/** Where container platforms put secrets: readable by all there are, in a container of its own. */
function mayBeReadByAll(path: string): boolean {
  return /^\/(?:var\/)?run\/secrets\//.test(path)
}

function readKeyFile(path: string): string {
  return readGuarded(path, mayBeReadByAll(path) ? 0o022 : 0o077)
}

/** @param forbidden rights that nobody but the owner may have */
function readGuarded(path: string, forbidden: number): string {
  let descriptor: number
  try {
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (cause) {
    throw new CredentialError('secret', `The file "${path}" cannot be read`, { cause })
  }
  try {
    const { mode, size, isFile } = toFacts(descriptor)
    if (!isFile || size > MAX_BYTES) throw new CredentialError('secret', `"${path}" is no file of a secret`)
    if (process.platform !== 'win32' && (mode & forbidden) !== 0) {
      throw new CredentialError('secret', `Others may read or change "${path}": allow its owner only (chmod 600)`)
    }
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}

function toFacts(descriptor: number) {
  const found = fstatSync(descriptor)
  return { mode: found.mode, size: found.size, isFile: found.isFile() }
}

/** Two processes may begin at once: the first to give the file its name wins, and never is there half a key. */
function makeKeyFile(path: string): void {
  const draft = `${path}.${process.pid}.new`
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const descriptor = openSync(draft, 'wx', 0o600)
    writeSync(descriptor, `${formatVaultKey(randomBytes(32))}\n`)
    closeSync(descriptor)
    linkSync(draft, path)
  } catch (cause) {
    if (codeOf(cause) !== 'EEXIST') {
      throw new CredentialError('vault', `The key file "${path}" cannot be written`, { cause })
    }
  } finally {
    rmSync(draft, { force: true })
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

const MAX_BYTES = 64 * 1024
