import { checkOptions } from '../options/check.ts'
import { list, required, SCOPES, type ShapesOf, text, url } from '../options/shape.ts'

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
  checkOptions('describe a resource', about, RESOURCE)
  const { resource, issuers, scopes, name, documentation } = about
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

const RESOURCE: ShapesOf<ProtectedResource> = {
  resource: required(url('the http(s) URL callers connect to, such as "https://mcp.example.com/mcp"')),
  issuers: required(list(url(), 'a list of those who give tokens, such as ["https://auth.example.com"]', false)),
  scopes: SCOPES,
  name: text(),
  documentation: text(),
}
