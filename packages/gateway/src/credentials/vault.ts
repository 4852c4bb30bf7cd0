import type { CredentialId, CredentialRecord } from '../stores/contract/credential-store.ts'
import { CredentialError } from './credential-error.ts'

/** Closes what the store keeps, and opens it again. */
export interface Vault {
  /** Of the key that closes. */
  readonly keyId: string
  /** Bound to its place: under another id it does not open. */
  seal(id: CredentialId, text: string): Promise<Pick<CredentialRecord, 'keyId' | 'sealed'>>
  /** @throws {CredentialError} where it was closed with another key, for another place, or is damaged */
  open(record: CredentialRecord): Promise<string>
  /** 32 bytes for something else, the same for all who have the key of the vault. */
  derive(purpose: string): Promise<Uint8Array<ArrayBuffer>>
}

/** @param keys of 32 bytes; the first closes and opens, the others open */
export async function createVault([key, ...before]: readonly Uint8Array<ArrayBuffer>[]): Promise<Vault> {
  if (key === undefined) throw new CredentialError('vault', 'The vault has no key')
  const current = await toKey(key)
  const known = new Map((await Promise.all([...before, key].map(toKey))).map((one) => [one.id, one.key]))
  return {
    keyId: current.id,
    async seal(id, text) {
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
      const algorithm = { name: 'AES-GCM', iv, additionalData: toPlace(id) }
      const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, current.key, new TextEncoder().encode(text)))
      return { keyId: current.id, sealed: toBase64(iv) + toBase64(sealed) }
    },
    async open(record) {
      const opener = known.get(record.keyId)
      if (opener === undefined) {
        throw new CredentialError(
          'vault',
          `Cannot open what is kept of "${record.name}": it was closed with another key (${record.keyId}); add that to "vault.previousKeys" or "vault.previousKeyFiles"`,
        )
      }
      try {
        // 12 bytes are 16 characters, with nothing to fill up.
        const iv = fromBase64(record.sealed.slice(0, IV_CHARS))
        const algorithm = { name: 'AES-GCM', iv, additionalData: toPlace(record) }
        return new TextDecoder().decode(
          await crypto.subtle.decrypt(algorithm, opener, fromBase64(record.sealed.slice(IV_CHARS))),
        )
      } catch {
        throw new CredentialError('vault', `Cannot open what is kept of "${record.name}": it is damaged, or another's`)
      }
    },
    async derive(purpose) {
      const base = await crypto.subtle.importKey('raw', key, 'HKDF', false, ['deriveBits'])
      const info = new TextEncoder().encode(`crosspoint ${purpose}`)
      const algorithm = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(32), info }
      return new Uint8Array(await crypto.subtle.deriveBits(algorithm, base, 256))
    },
  }
}

/** 32 bytes as base64, base64url or hexadecimal; undefined for anything else. */
export function parseVaultKey(text: string): Uint8Array<ArrayBuffer> | undefined {
  const written = text.trim()
  if (/^[0-9a-f]{64}$/i.test(written)) {
    return Uint8Array.from(written.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16))
  }
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(written)) return undefined
  return fromBase64(written.replaceAll('-', '+').replaceAll('_', '/'))
}

export function formatVaultKey(key: Uint8Array): string {
  return toBase64(key)
}

async function toKey(bytes: Uint8Array<ArrayBuffer>): Promise<OpenedKey> {
  if (bytes.length !== KEY_BYTES) throw new CredentialError('vault', `A key of the vault has ${KEY_BYTES} bytes`)
  const key = await crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
  const digest = await crypto.subtle.digest(
    'SHA-256',
    new Uint8Array([...new TextEncoder().encode('vault key'), ...bytes]),
  )
  const id = toBase64(new Uint8Array(digest).subarray(0, 9)).replaceAll('+', '-').replaceAll('/', '_')
  return { id, key }
}

function toPlace({ kind, tenant, principal, name }: CredentialId): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify([kind, tenant, principal, name]))
}

function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
}

interface OpenedKey {
  readonly id: string
  readonly key: Awaited<ReturnType<typeof crypto.subtle.importKey>>
}

const KEY_BYTES = 32
const IV_BYTES = 12
const IV_CHARS = 16
