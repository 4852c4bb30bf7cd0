import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { defaultKeyFile } from './audit-key.ts'
import { makeOwnedFile, type OwnedFile, readOwnedFile } from './owned-file.ts'

/** Beside the key of evidence, in the folder of a person's own configuration. */
export function defaultSecretFile(env: Readonly<Record<string, string | undefined>>): string {
  return `${dirname(defaultKeyFile(env))}/auth-server.key`
}

/**
 * The 32 random bytes in a file, which is made (readable by its owner only) where there is none.
 * @throws {SecretFileError} where the file cannot be used, or others may read it
 */
export function openSecretFile(path: string): Uint8Array {
  const found = readOwnedFile(path, FILE)
  if (found !== undefined) return parse(found, path)
  const secret = randomBytes(BYTES)
  return makeOwnedFile(path, `${secret.toString('base64')}\n`, FILE)
    ? secret
    : parse(readOwnedFile(path, FILE) ?? '', path)
}

/** Its message names the file and never what is in it. */
export class SecretFileError extends Error {
  override readonly name = 'SecretFileError'
}

function parse(text: string, path: string): Uint8Array {
  const secret = Buffer.from(text, 'base64')
  if (secret.length !== BYTES) throw new SecretFileError(`The file "${path}" holds no key of ${BYTES} bytes`)
  return secret
}

const BYTES = 32
const FILE: OwnedFile = {
  what: 'key file',
  kind: 'key file',
  maxBytes: 1_024,
  fault: (message, cause) => new SecretFileError(message, cause === undefined ? undefined : { cause }),
}
