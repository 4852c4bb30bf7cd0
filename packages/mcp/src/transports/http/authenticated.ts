import type { IncomingHttpHeaders } from 'node:http'
import { McpError } from '../../errors.ts'
import { isObject } from '../../jsonrpc/members.ts'
import type { Log } from '../../peer/served.ts'
import type { Principal } from '../../protocol/call.ts'
import type { Endpoint } from '../endpoint.ts'
import type { HttpRequest } from './exchange.ts'

/**
 * Asks who a caller is: the one place where a door takes a name. Whatever is not a whole principal is nobody, since an
 * `authenticate` of plain JavaScript that forgets to throw returns nothing for a bad token. Who is known at once is
 * answered at once: a promise would cost every call.
 * @param log told what was returned, by its kind: what is in it may be a secret
 * @throws {McpError} `caller.unauthenticated` for what is no principal, and whatever `authenticate` throws
 */
export function authenticated(
  authenticate: NonNullable<Endpoint['authenticate']>,
  { headers, url = '/' }: Pick<HttpRequest, 'headers' | 'url'>,
  log: Log,
): Principal | Promise<Principal> {
  checkAddress(url)
  const returned: unknown = authenticate(toSingle(headers))
  if (!isPromise(returned)) return toPrincipal(returned, log)
  // One of ours, whatever kind of promise it was.
  return Promise.resolve(returned).then((later) => toPrincipal(later, log))
}

function isPromise(value: unknown): boolean {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function'
}

function toPrincipal(returned: unknown, log: Log): Principal {
  const fault = findFault(returned)
  if (fault === undefined) return returned as Principal // nothing is wrong with it
  log('error', 'principal.invalid', { message: `"authenticate" returned ${fault}; ${REMEDY}` })
  throw new McpError('caller.unauthenticated', 'Cannot tell who is calling')
}

/**
 * Addresses are written down on the way, in logs and histories: who puts a token there (RFC 6750 §2.3) is told so, even
 * beside a good one.
 * @throws {McpError} `caller.unauthenticated`
 */
function checkAddress(url: string): void {
  const query = url.indexOf('?')
  if (query === -1 || !new URLSearchParams(url.slice(query)).has('access_token')) return
  throw new McpError('caller.unauthenticated', 'Cannot take a token in an address: send it as "Authorization"', {
    challenge: { error: 'invalid_request' },
  })
}

/** What is wrong with it, without a word of what is in it. */
function findFault(returned: unknown): string | undefined {
  if (typeof returned !== 'object' || returned === null) return kindOf(returned)
  const { id, tenant, scopes, attributes } = returned as { readonly [Member in keyof Principal]?: unknown }
  if (typeof id !== 'string') return `an object whose "id" is ${kindOf(id)}`
  if (id === '') return 'an object whose "id" is empty'
  if (typeof tenant !== 'string') return `an object whose "tenant" is ${kindOf(tenant)}`
  if (attributes !== undefined && !isObject(attributes)) {
    return `an object whose "attributes" are ${Array.isArray(attributes) ? 'a list' : kindOf(attributes)}`
  }
  // Of a text, "includes" would find a scope inside of another.
  if (scopes === undefined || (Array.isArray(scopes) && scopes.every((scope) => typeof scope === 'string'))) return
  return `an object whose "scopes" are ${Array.isArray(scopes) ? 'not all text' : kindOf(scopes)}`
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  if (typeof value === 'string') return 'text'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** Headers that came many times are lists; hardly a request has one, and then nothing is copied but those. */
function toSingle(headers: IncomingHttpHeaders): Readonly<Record<string, string | undefined>> {
  for (const name in headers) if (typeof headers[name] === 'object') return toTexts(headers)
  return headers as Readonly<Record<string, string | undefined>> // no list is left
}

function toTexts(headers: IncomingHttpHeaders): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

const REMEDY =
  'return { id, tenant }, both text, with a list of "scopes" where there are any, or throw to refuse the caller'
