import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { StoreError } from '../contract/store-error.ts'

/** What a URL says, taken apart. */
export interface Connection {
  /** Without what it says about TLS. */
  readonly connectionString: string
  readonly ssl: ConnectionOptions | false
}

/**
 * Reads what libpq's URLs say about TLS. Without `sslmode` a server on this machine is talked to as it is, and any other
 * by TLS only, with its certificate checked.
 * @throws {StoreError} `invalid`, with nothing of the URL in it
 */
export function parseConnection(url: string): Connection {
  if (!URL.canParse(url)) throw new StoreError('invalid', 'Cannot open the store: its URL is not valid')
  const parsed = new URL(url)
  const take = (name: string) => {
    const value = parsed.searchParams.get(name)
    parsed.searchParams.delete(name)
    return value ?? undefined
  }
  const isHere = isThisMachine(parsed.searchParams.get('host') ?? decodeURIComponent(parsed.hostname))
  const mode = take('sslmode') ?? (isHere ? 'disable' : 'verify-full')
  const files = { ca: take('sslrootcert'), cert: take('sslcert'), key: take('sslkey') }
  return { connectionString: parsed.href, ssl: toTls(mode, files) }
}

function toTls(mode: string, files: Readonly<Record<'ca' | 'cert' | 'key', string | undefined>>): Connection['ssl'] {
  if (mode === 'disable') return false
  const given = {
    ...(files.ca !== undefined && { ca: readPem('sslrootcert', files.ca) }),
    ...(files.cert !== undefined && { cert: readPem('sslcert', files.cert) }),
    ...(files.key !== undefined && { key: readPem('sslkey', files.key) }),
  }
  if (mode === 'verify-full') return { ...given, rejectUnauthorized: true }
  // As libpq has it: with a root certificate at hand, `require` checks against it, and names are not compared.
  if (mode === 'verify-ca' || (mode === 'require' && files.ca !== undefined)) {
    return { ...given, rejectUnauthorized: true, checkServerIdentity: () => undefined }
  }
  if (mode === 'require') return { ...given, rejectUnauthorized: false }
  throw new StoreError('invalid', 'Cannot open the store: sslmode is none of disable, require, verify-ca, verify-full')
}

function readPem(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new StoreError('invalid', `Cannot open the store: the file of ${name} cannot be read`, { cause })
  }
}

function isThisMachine(host: string): boolean {
  return host === '' || host.startsWith('/') || /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i.test(host)
}
