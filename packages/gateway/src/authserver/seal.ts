import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'

/** Makes what is kept readable, and findable, to nobody but this server. */
export interface Seal {
  /** @param place where it is kept: it opens nowhere else */
  seal(place: string, value: unknown): string
  /** @returns undefined for what was not sealed for this place, or with another key */
  open(place: string, sealed: string): unknown
  /** The same for the same text: a name for something whose own name is a secret. */
  digest(purpose: string, text: string): string
  /** For signatures of cookies. */
  readonly cookieKey: string
}

/** @param secret 32 random bytes */
export function createSeal(secret: Uint8Array): Seal {
  const derive = (purpose: string) =>
    Buffer.from(hkdfSync('sha256', secret, '', `crosspoint auth server ${purpose}`, 32))
  const [sealing, naming] = [derive('seal'), derive('digest')]
  return {
    seal(place, value) {
      const nonce = randomBytes(NONCE)
      const cipher = createCipheriv('aes-256-gcm', sealing, nonce).setAAD(Buffer.from(place))
      const text = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url')
    },
    open(place, sealed) {
      const bytes = Buffer.from(sealed, 'base64url')
      if (bytes.length < NONCE + TAG) return undefined
      const decipher = createDecipheriv('aes-256-gcm', sealing, bytes.subarray(0, NONCE), { authTagLength: TAG })
      decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(NONCE, NONCE + TAG))
      try {
        const text = Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()])
        return JSON.parse(text.toString('utf8'))
      } catch {
        // Another key, another place, or no whole text: it says nothing to us.
        return undefined
      }
    },
    digest: (purpose, text) => createHmac('sha256', naming).update(`${purpose}\0${text}`).digest('base64url'),
    cookieKey: derive('cookies').toString('base64url'),
  }
}

const NONCE = 12
const TAG = 16
