/**
 * A URL that a peer wrote; undefined for what is none. Looking at a host of other scripts takes the platform time that
 * grows with the square of its length (IDNA), so one that is longer than any name can be is not looked at.
 * @param base what a relative one is relative to
 */
export function parseUrl(text: string, base?: string | URL): URL | undefined {
  if (text.length > MAX_URL || hasLongHost(text)) return undefined
  return URL.canParse(text, base?.toString()) ? new URL(text, base) : undefined
}

function hasLongHost(text: string): boolean {
  // The platform leaves out what is replaced here, and knows hosts of other schemes by their bytes.
  const plain = text.replace(/^[\0- ]+|[\t\n\r]/g, '')
  if (OTHER_SCHEME.test(plain)) return false
  const host = HOST.exec(plain)?.[1] ?? ''
  return host.length > MAX_HOST && ENCODED.test(host)
}

const OTHER_SCHEME = /^(?!(?:https?|wss?|ftp|file):)[a-z][a-z\d+.-]*:/i
/** With whom it is for and the port, where there are any; or the first part of a relative path. */
const HOST = /^(?:[a-z]+:)?[\\/]*([^\\/?#]*)/i
const ENCODED = /[^\0-\x7f]|%/
const MAX_URL = 8_192
/** A name has 253 characters (RFC 1035 §2.3.4). */
const MAX_HOST = 512
