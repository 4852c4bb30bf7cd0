import type { ConnectionOptions } from 'node:tls'
import { StoreError } from '../contract/store-error.ts'

/** Where Redis is, and who asks it. */
export interface Address {
  readonly host: string
  readonly port: number
  readonly username?: string
  readonly password?: string
  readonly db?: number
  readonly tls?: ConnectionOptions
}

/**
 * Takes apart `redis://user:password@host:6379/0`; `rediss:` is over TLS, with the certificate checked.
 * @throws {StoreError} `invalid`, with nothing of the URL in it
 */
export function parseAddress(url: string): Address {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || parsed.hostname === '' || !/^rediss?:$/.test(parsed.protocol)) {
    throw new StoreError('invalid', 'Cannot open Redis: its URL is none of redis:// or rediss://')
  }
  const [, db] = /^\/?(\d{0,5})$/.exec(parsed.pathname) ?? []
  if (db === undefined)
    throw new StoreError('invalid', 'Cannot open Redis: the path of its URL is no number of a database')
  if (parsed.search !== '')
    throw new StoreError('invalid', 'Cannot open Redis: its URL has parameters, and there are none')
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1')
  const [username, password] = [decode(parsed.username), decode(parsed.password)]
  return {
    host,
    port: parsed.port === '' ? 6_379 : Number(parsed.port),
    ...(username !== '' && { username }),
    ...(password !== '' && { password }),
    ...(db !== '' && { db: Number(db) }),
    // A name to ask the certificate for; addresses are looked for in it as they are.
    ...(parsed.protocol === 'rediss:' && { tls: /[:]|^[\d.]+$/.test(host) ? {} : { servername: host } }),
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new StoreError('invalid', 'Cannot open Redis: a percent sign of its URL is not written as %25')
  }
}
