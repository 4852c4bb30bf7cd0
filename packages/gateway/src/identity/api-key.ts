/**
 * An API key as people hold it: `cpk_<id>_<secret>`. The id finds it and is no secret; of the secret, which is 256 random
 * bits, only a SHA-256 is kept. The beginning lets scanners of source code find keys that were left there.
 */
export interface ApiKey {
  readonly id: string
  readonly secret: string
}

export function formatApiKey({ id, secret }: ApiKey): string {
  return `${PREFIX}${id}_${secret}`
}

/** Whether it is meant as a key of ours, good or not. */
export function isApiKey(text: string): boolean {
  return text.startsWith(PREFIX)
}

/** Undefined for what could not be one. */
export function parseApiKey(text: string): ApiKey | undefined {
  if (text.length < MIN || text.length > MAX || !SHAPE.test(text)) return undefined
  // The secret has its length, and base64url has underscores of its own.
  return { id: text.slice(PREFIX.length, -SECRET - 1), secret: text.slice(-SECRET) }
}

/** 72 and 256 random bits. No id looks like an option to a command line. */
export function randomApiKey(): ApiKey {
  return {
    id: toBase64Url(crypto.getRandomValues(new Uint8Array(9))).replace(/^[-_]/, 'x'),
    secret: toBase64Url(crypto.getRandomValues(new Uint8Array(32))),
  }
}

/** Whether two digests are the same, in a time that does not depend on where they differ. */
export function isSameDigest(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}

export function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

const PREFIX = 'cpk_'
const SECRET = 43
const MIN_ID = 12
const MAX_ID = 64
const MIN = PREFIX.length + MIN_ID + 1 + SECRET
const MAX = PREFIX.length + MAX_ID + 1 + SECRET
const SHAPE = /^cpk_[\w-]{12,64}_[\w-]{43}$/
