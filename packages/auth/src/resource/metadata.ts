/** A server that takes tokens, as its author describes it. */
export interface ProtectedResource {
  /** The URL of the endpoint as callers know it: what they connect to, and what tokens for it name. */
  readonly resource: string
  /** The issuers of tokens it takes, as they write themselves. */
  readonly issuers: readonly string[]
  /** The few scopes that a client asks for at first. More are named by challenges, when they are needed. */
  readonly scopes?: readonly string[]
  /** What people are shown. */
  readonly name?: string
  /** For developers. */
  readonly documentation?: string
}

/** What is served of it (RFC 9728 §2). */
export interface ProtectedResourceMetadata {
  readonly resource: string
  readonly authorization_servers: readonly string[]
  readonly bearer_methods_supported: readonly string[]
  readonly scopes_supported?: readonly string[]
  readonly resource_name?: string
  readonly resource_documentation?: string
  readonly [member: string]: unknown
}

/**
 * The metadata of a server that takes tokens, for the option `resourceMetadata` of its door.
 * @throws {TypeError} for a resource or issuers that clients would refuse
 */
export function protectedResourceMetadata(about: ProtectedResource): ProtectedResourceMetadata {
  const { resource, issuers, scopes, name, documentation } = about
  for (const url of [resource, ...issuers]) {
    if (!isPlainUrl(url)) throw new TypeError(`Cannot describe a resource with "${url}": it is no http(s) URL alone`)
  }
  if (issuers.length === 0) throw new TypeError(`Cannot describe "${resource}": nobody gives tokens for it`)
  if (scopes?.includes('offline_access') === true) {
    throw new TypeError(`Cannot describe "${resource}": how long tokens last is no matter of its scopes`)
  }
  return {
    resource,
    authorization_servers: issuers,
    bearer_methods_supported: ['header'],
    ...(scopes === undefined ? {} : { scopes_supported: scopes }),
    ...(name === undefined ? {} : { resource_name: name }),
    ...(documentation === undefined ? {} : { resource_documentation: documentation }),
  }
}

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hash, username } = new URL(text)
  return /^https?:$/.test(protocol) && hash === '' && !text.includes('#') && username === ''
}
