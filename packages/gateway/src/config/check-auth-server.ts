import { isLoopbackHost } from './hosts.ts'
import { toPlainUrl } from './plain-url.ts'
import type { WrittenAuth } from './schema.ts'

type Complain = (path: readonly PropertyKey[], message: string, hint?: string) => void
type Written = NonNullable<WrittenAuth['server']>

/** Whether the authorization server can be reached, and nobody gets more from it than is meant. */
export function checkAuthServer(
  server: Written,
  { auth, isOpen }: { readonly auth: WrittenAuth; readonly isOpen: boolean },
  error: Complain,
): void {
  const at = ['auth', 'server']
  checkAddress(auth.resource, isOpen, error)
  const urls: [PropertyKey[], string | undefined][] = [
    [['upstream', 'issuer'], server.upstream?.issuer],
    ...Object.entries(server.clients).map(([id, { keys }]): [PropertyKey[], string | undefined] => [
      ['clients', id, 'keys'],
      keys,
    ]),
    ...server.enterprise.flatMap(({ issuer, keys }, index): [PropertyKey[], string | undefined][] => [
      [['enterprise', index, 'issuer'], issuer],
      [['enterprise', index, 'keys'], keys],
    ]),
  ]
  for (const [path, url] of urls) if (url !== undefined) checkUrl([...at, ...path], url, error)
  for (const [path, { tenant, tenantClaim }] of [
    ...(server.upstream === undefined ? [] : ([[['upstream'], server.upstream]] as const)),
    ...server.enterprise.map((one, index) => [['enterprise', index], one] as const),
  ]) {
    if (tenant !== undefined && tenantClaim !== undefined) {
      error([...at, ...path, 'tenantClaim'], 'A tenant is either given or in a claim, not both', 'remove one of them')
    }
  }
  for (const [id, client] of Object.entries(server.clients)) {
    checkClient(client, (path, message, hint) => error([...at, 'clients', id, ...path], message, hint))
  }
  checkKey(server, (path, message, hint) => error([...at, ...path], message, hint))
  if (auth.issuers.some(({ issuer }) => issuer === originOf(auth.resource))) {
    error([...at], 'An issuer has the name of this one', 'remove it from "auth.issuers"')
  }
}

/** People sign in there, with passwords. */
function checkAddress(resource: string | undefined, isOpen: boolean, error: Complain): void {
  const at = ['auth', 'resource']
  if (resource === undefined) {
    if (isOpen) error(['auth'], 'People have to find the authorization server', 'write "auth.resource: https://…"')
    return
  }
  const url = toPlainUrl(resource)
  if (url === undefined) return // told elsewhere
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) {
    error(at, 'Passwords would come to this address without encryption', 'use https://')
  }
  if (url.pathname !== '/') {
    error(at, 'The authorization server needs an address of its own, without a path', 'use a name of its own')
  }
}

function checkUrl(path: readonly PropertyKey[], text: string, error: Complain): void {
  const url = toPlainUrl(text)
  if (url === undefined) error(path, 'This is not a valid URL without user name and password')
  else if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) {
    error(path, 'Whoever is in between could be anybody', 'use https://')
  }
}

function checkClient(client: Written['clients'][string], error: Complain): void {
  const { secret, keys, redirectUris, credentials, enterprise } = client
  if (secret !== undefined && keys !== undefined) {
    error(['keys'], 'A client shows either a secret or what its key has signed, not both', 'remove one of them')
  }
  if (secret === undefined && keys === undefined && (credentials || enterprise)) {
    error([], 'Anybody could say that they are this client', 'give it "keys" or a "secret"')
  }
  if (!credentials && !enterprise && redirectUris.length === 0) {
    error([], 'There is nothing that this client could do', 'give it "redirectUris", or "credentials: true"')
  }
  for (const [index, uri] of redirectUris.entries()) {
    const url = URL.canParse(uri) ? new URL(uri) : undefined
    const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(url.hostname))
    if (!isSafe || uri.includes('#')) {
      error(['redirectUris', index], 'People can be sent back to https:// or to this machine only')
    }
  }
}

function checkKey({ key, keyFile }: Written, error: Complain): void {
  if (key === undefined) return
  if (keyFile !== undefined) error(['keyFile'], 'The key is either given or in a file, not both', 'remove one of them')
  if (!/^[\w+/-]{43}=?$/.test(key)) error(['key'], 'This is not 32 bytes in base64', 'openssl rand -base64 32')
}

function originOf(resource: string | undefined): string | undefined {
  return resource !== undefined && URL.canParse(resource) ? new URL(resource).origin : undefined
}
