import { randomBytes } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { VaultConfig } from '../config/model-secrets.ts'
import { CredentialError } from '../credentials/credential-error.ts'
import { formatVaultKey, parseVaultKey } from '../credentials/vault.ts'
import { makeOwnedFile, type OwnedFile, readOwnedFile } from './owned-file.ts'

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
  const path = checkApart(keyFile ?? defaultVaultKeyFile(env), storePath)
  if (readOwnedFile(path, toFile(path)) === undefined) {
    makeOwnedFile(path, `${formatVaultKey(randomBytes(32))}\n`, VAULT_FILE)
  }
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
  return readThere(path, { ...FILE, forbidden: mayBeReadByAll(path) ? 0o022 : 0o027 })
}

/** Where container platforms put secrets: readable by all there are, in a container of its own. */
function mayBeReadByAll(path: string): boolean {
  return /^\/(?:var\/)?run\/secrets\//.test(path)
}

function readKeyFile(path: string): string {
  return readThere(path, toFile(path))
}

function toFile(path: string): OwnedFile {
  return mayBeReadByAll(path) ? { ...FILE, forbidden: 0o022 } : FILE
}

function readThere(path: string, file: OwnedFile): string {
  const found = readOwnedFile(path, file)
  if (found === undefined) throw file.fault(`The file "${path}" cannot be read: there is none`)
  return found
}

const FILE: OwnedFile = {
  what: 'file',
  kind: 'file of a secret',
  maxBytes: 64 * 1024,
  fault: (message, cause) => new CredentialError('secret', message, { cause }),
}
const VAULT_FILE: OwnedFile = {
  ...FILE,
  what: 'key file',
  fault: (message, cause) => new CredentialError('vault', message, { cause }),
}
