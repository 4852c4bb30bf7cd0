import { checkAuthServer } from './check-auth-server.ts'
import { isLoopbackHost } from './hosts.ts'
import { toPlainUrl } from './plain-url.ts'
import type { WrittenAuth, WrittenConfig } from './schema.ts'

type Complain = (path: readonly PropertyKey[], message: string, hint?: string) => void

/** Whether somebody could get in, and nobody whom it does not mean. */
export function checkAuth({ auth, listen }: WrittenConfig, error: Complain, warn: Complain): void {
  if (auth === undefined) return
  const isOpen = !isLoopbackHost(listen.host)
  if (auth.server !== undefined) checkAuthServer(auth.server, { auth, isOpen }, error)
  if (!auth.keys.enabled && auth.issuers.length === 0 && auth.server === undefined) {
    error(['auth', 'keys', 'enabled'], 'Without keys and issuers nobody could call', 'add one under "auth.issuers"')
  }
  if (auth.resource !== undefined) checkResource(auth.resource, error, warn)
  else if (isOpen && auth.issuers.length > 0) {
    error(['auth'], 'Tokens have to name the gateway as callers know it', 'write "auth.resource: https://…"')
  }
  if (isOpen && auth.resource === undefined) {
    warn(['listen', 'host'], 'Keys come to this address without encryption', UNENCRYPTED)
  }
  const seen = new Set<string>()
  for (const [index, issuer] of auth.issuers.entries()) {
    const at = ['auth', 'issuers', index]
    if (seen.has(issuer.issuer)) error([...at, 'issuer'], 'This issuer is there twice', 'put both into one')
    seen.add(issuer.issuer)
    checkIssuer(issuer, (path, message, hint) => error([...at, ...path], message, hint))
  }
}

function checkResource(resource: string, error: Complain, warn: Complain): void {
  const at = ['auth', 'resource']
  const url = toPlainUrl(resource)
  if (url === undefined || url.search !== '') {
    error(at, 'This is not the address of a gateway', 'write one such as "https://mcp.example.com"')
  } else if (/\/mcp\/?$/.test(url.pathname)) {
    error(at, 'The endpoint is added to this', 'leave out "/mcp" at the end')
  } else if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) {
    warn(at, 'Keys and tokens come to this address without encryption', UNENCRYPTED)
  }
}

function checkIssuer(issuer: WrittenAuth['issuers'][number], error: Complain): void {
  for (const key of ['issuer', 'keys'] as const) {
    const written = issuer[key]
    if (written === undefined) continue
    const url = toPlainUrl(written)
    if (url === undefined) error([key], 'This is not a valid URL without user name and password')
    else if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) {
      error([key], 'Whoever is in between could make keys of its own', 'use https://')
    }
  }
  if (issuer.tenant !== undefined && issuer.tenantClaim !== undefined) {
    error(['tenantClaim'], 'A tenant is either given or in a claim, not both', 'remove one of them')
  }
  for (const [index, name] of (issuer.algorithms ?? []).entries()) {
    if (!ALGORITHMS.has(name)) {
      const hint = `use ${[...ALGORITHMS].join(', ')}`
      error(['algorithms', index], 'Tokens cannot be checked safely with this', hint)
    }
  }
}

const UNENCRYPTED = 'put a proxy in front that has a certificate, and write its address as "auth.resource"'

/** Those with public keys: with a shared secret whoever checks tokens could make them. */
const ALGORITHMS: ReadonlySet<string> = new Set([
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
])
