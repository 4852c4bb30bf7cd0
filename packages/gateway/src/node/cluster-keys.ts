import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** What is sealed was sealed when, as text that differs each time, and what it says. */
export interface Unsealed {
  readonly text: string
  readonly nonce: string
}

/** What gateways that have a secret in common make of it: each use has a key of its own. */
export interface ClusterKeys {
  /** Of states, ids and handles that callers carry; the first seals. */
  readonly states: readonly Uint8Array[]
  /** @param bound what it is sealed with, and opened with alone */
  seal(bound: string, text: string): string
  /** Undefined for what was not sealed by one of the keys for this. */
  open(bound: string, sealed: string): Unsealed | undefined
}

/** AES-256-GCM under keys derived with HKDF-SHA-256 (RFC 5869). */
export function deriveClusterKeys(secret: string, previous?: string): ClusterKeys {
  const secrets = previous === undefined ? [secret] : [secret, previous]
  const derive = (use: string) =>
    secrets.map((one) => Buffer.from(hkdfSync('sha256', one, '', `crosspoint cluster ${use}`, 32)))
  const boxes = derive('box')
  const [box = EMPTY] = boxes
  return {
    states: derive('states'),
    seal(bound, text) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', box, nonce).setAAD(Buffer.from(bound))
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')
    },
    open(bound, sealed) {
      const bytes = Buffer.from(sealed, 'base64url')
      if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined
      const nonce = bytes.subarray(0, NONCE_BYTES)
      for (const key of boxes) {
        const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
          .setAAD(Buffer.from(bound))
          .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
        try {
          const text =
            decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
          return { text, nonce: nonce.toString('base64url') }
        } catch {
          // Not by this key, or changed since.
        }
      }
      return undefined
    },
  }
}

const EMPTY = Buffer.alloc(0)
const NONCE_BYTES = 12
const TAG_BYTES = 16
