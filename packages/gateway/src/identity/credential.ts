import { isApiKey } from './api-key.ts'
import { notReadable, notSaid } from './refusals.ts'

type Headers = Readonly<Record<string, string | undefined>>

/** What a caller shows. */
export interface Credential {
  readonly kind: 'key' | 'token'
  readonly text: string
}

/**
 * The one credential of a request: `Authorization: Bearer` holds a key or a token, `X-API-Key` a key (RFC 6750 §2.1).
 * @throws {McpError} for none, for two, and for another scheme
 */
export function parseCredential({ authorization, 'x-api-key': key }: Headers): Credential {
  if (authorization === undefined) {
    if (key === undefined) throw notSaid()
    return { kind: 'key', text: key }
  }
  if (key !== undefined) throw notReadable()
  const text = authorization.startsWith('Bearer ') ? authorization.slice(7) : toBearer(authorization)
  return { kind: isApiKey(text) ? 'key' : 'token', text }
}

/** Schemes are written in any case, with any number of spaces (RFC 9110 §11.4). */
function toBearer(header: string): string {
  const [, text] = /^bearer +(.*)$/i.exec(header) ?? []
  if (text !== undefined) return text
  if (/^bearer *$/i.test(header)) throw notReadable()
  throw notSaid()
}
