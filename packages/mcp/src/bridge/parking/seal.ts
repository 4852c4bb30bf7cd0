import type { JsonObject } from '../../jsonrpc/frame.ts'

/** A secret of at least 32 bytes; a string counts as its UTF-8 bytes. */
export type StateKey = string | Uint8Array

/** Seals what callers carry for us, so that they can neither read nor change it. */
export interface Sealer {
  /** @param purpose a text sealed for one purpose does not open for another */
  seal(purpose: string, value: JsonObject): Promise<string>
  /** Undefined for what was not sealed by one of our keys for this purpose, or was changed since. */
  open(purpose: string, sealed: string): Promise<JsonObject | undefined>
}

/**
 * AES-256-GCM under keys derived with HKDF-SHA-256 (RFC 5869). The first key seals, all of them open.
 * @param keys default: a random key of this process
 * @param audience whose states these are: servers that share a key do not take each other's
 * @throws {TypeError} for a key of less than 32 bytes, or none at all
 */
export function createSealer(keys: StateKey | readonly StateKey[] | undefined, audience: string): Sealer {
  const secrets = toSecrets(keys)
  let derived: Promise<readonly Key[]> | undefined
  const deriveAll = () => {
    derived ??= Promise.all(secrets.map(derive))
    return derived
  }
  const bound = (purpose: string) => new TextEncoder().encode(JSON.stringify([audience, purpose]))
  return {
    async seal(purpose, value) {
      const [key] = await deriveAll()
      if (key === undefined) throw new TypeError('Cannot seal without a key')
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
      const algorithm = { name: 'AES-GCM', iv, additionalData: bound(purpose) }
      const text = new TextEncoder().encode(JSON.stringify(value))
      const box = new Uint8Array(await crypto.subtle.encrypt(algorithm, key.key, text))
      return PREFIX + toBase64Url(concat(key.id, iv, box))
    },
    async open(purpose, sealed) {
      const bytes = sealed.startsWith(PREFIX) ? fromBase64Url(sealed.slice(PREFIX.length)) : undefined
      if (bytes === undefined || bytes.length <= ID_BYTES + IV_BYTES) return undefined
      const id = bytes.subarray(0, ID_BYTES)
      const iv = bytes.subarray(ID_BYTES, ID_BYTES + IV_BYTES)
      const algorithm = { name: 'AES-GCM', iv, additionalData: bound(purpose) }
      for (const { key } of (await deriveAll()).filter((known) => isEqual(known.id, id))) {
        try {
          const text = await crypto.subtle.decrypt(algorithm, key, bytes.subarray(ID_BYTES + IV_BYTES))
          return JSON.parse(new TextDecoder().decode(text)) as JsonObject // what we sealed is an object
        } catch {
          // Not sealed by this key, or changed since: there is nothing to say beyond that it does not open.
        }
      }
      return undefined
    },
  }
}

interface Key {
  /** Says which key a text was sealed with, without telling anything of the key. */
  readonly id: Uint8Array
  readonly key: Awaited<ReturnType<typeof crypto.subtle.importKey>>
}

function toSecrets(keys: StateKey | readonly StateKey[] | undefined): readonly Uint8Array<ArrayBuffer>[] {
  if (keys === undefined) return [crypto.getRandomValues(new Uint8Array(MIN_KEY_BYTES))]
  const list = typeof keys === 'string' || keys instanceof Uint8Array ? [keys] : keys
  const secrets = list.map((key) => (typeof key === 'string' ? new TextEncoder().encode(key) : Uint8Array.from(key)))
  if (secrets.length > 0 && secrets.every(({ length }) => length >= MIN_KEY_BYTES)) return secrets
  throw new TypeError(`Cannot seal with this "stateKey": it takes one or more keys of at least ${MIN_KEY_BYTES} bytes`)
}

async function derive(secret: Uint8Array<ArrayBuffer>): Promise<Key> {
  const material = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey', 'deriveBits'])
  const [id, key] = await Promise.all([
    crypto.subtle.deriveBits(toHkdf('crosspoint state key id'), material, ID_BYTES * 8),
    crypto.subtle.deriveKey(toHkdf('crosspoint state seal'), material, { name: 'AES-GCM', length: 256 }, false, [
      'encrypt',
      'decrypt',
    ]),
  ])
  return { id: new Uint8Array(id), key }
}

function toHkdf(info: string) {
  return { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: new TextEncoder().encode(info) }
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}

function toBase64Url(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode(...bytes.subarray(at, at + CHUNK))
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (unit) => unit.charCodeAt(0))
}

/** Says what it is and in which format, so that another format can follow. */
const PREFIX = 'xs1.'
const ID_BYTES = 4
const IV_BYTES = 12
const MIN_KEY_BYTES = 32
const CHUNK = 8_192
