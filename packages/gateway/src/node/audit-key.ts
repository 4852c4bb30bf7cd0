import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Signer, Verifiers } from '../audit/checkpoint.ts'
import { makeOwnedFile, type OwnedFile, readOwnedFile } from './owned-file.ts'

/** Signs checkpoints, and says who can hold them to it. */
export interface AuditKey extends Signer {
  /** PEM (SubjectPublicKeyInfo): what `audit verify --key` takes. */
  readonly publicKey: string
}

/** In the folder of a person's own configuration: stores are in another one by default, and what they hold is signed with it. */
export function defaultKeyFile(env: Readonly<Record<string, string | undefined>>): string {
  if (process.platform === 'win32' && env.APPDATA) return join(env.APPDATA, 'crosspoint', 'audit.key')
  return join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'crosspoint', 'audit.key')
}

/**
 * The key in a file, which is made (Ed25519, readable by its owner only) where there is none.
 * @throws {AuditKeyError} where the file cannot be used, or others may read it
 */
export function openAuditKey(path: string): AuditKey {
  const pem = readOwnedFile(path, FILE) ?? makeKey(path)
  const key = toPrivateKey(pem, path)
  const publicKey = createPublicKey(key)
  return {
    id: toId(publicKey),
    publicKey: toPem(publicKey),
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64url'),
  }
}

/**
 * The public keys in PEM text, of which there may be several.
 * @throws {AuditKeyError} for anything else
 */
export function toVerifiers(pems: readonly string[]): Verifiers {
  const blocks = pems.flatMap((pem) => pem.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [])
  if (blocks.length === 0) throw new AuditKeyError('There is no public key: expected "-----BEGIN PUBLIC KEY-----"')
  return new Map(blocks.map(toVerifier))
}

/** Its message names the file and never what is in it. */
export class AuditKeyError extends Error {
  override readonly name = 'AuditKeyError'
}

function toVerifier(pem: string): [string, (text: string, signature: string) => boolean] {
  const key = toPublicKey(pem)
  const isGenuine = (text: string, signature: string) => {
    const bytes = Buffer.from(signature, 'base64url')
    // Base64 can spell the same bytes in several ways, and every change must show.
    return bytes.toString('base64url') === signature && verify(null, Buffer.from(text), key, bytes)
  }
  return [toId(key), isGenuine]
}

function toPublicKey(pem: string): KeyObject {
  try {
    const key = createPublicKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch (cause) {
    throw new AuditKeyError('The public key cannot be read', { cause })
  }
  throw new AuditKeyError('The public key is none for Ed25519')
}

function toPrivateKey(pem: string, path: string): KeyObject {
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch (cause) {
    throw new AuditKeyError(`The key in "${path}" cannot be read`, { cause })
  }
  throw new AuditKeyError(`The key in "${path}" is none for Ed25519`)
}

function makeKey(path: string): string {
  const pem = String(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
  return makeOwnedFile(path, pem, FILE) ? pem : (readOwnedFile(path, FILE) ?? '')
}

function toPem(key: KeyObject): string {
  return String(key.export({ type: 'spki', format: 'pem' }))
}

function toId(key: KeyObject): string {
  const bytes = key.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32)
}

const FILE: OwnedFile = {
  what: 'key file',
  kind: 'key file',
  maxBytes: 16 * 1024,
  fault: (message, cause) => new AuditKeyError(message, cause === undefined ? undefined : { cause }),
}
