import type { JsonObject } from '../../jsonrpc/frame.ts'

/** What a server says of itself as a protected resource (RFC 9728 §2). */
export interface ResourceMetadata extends JsonObject {
  /** The URL of the endpoint, as callers know it. */
  readonly resource: string
  /** Who gives tokens for it. */
  readonly authorization_servers: readonly string[]
}

/** Where the metadata of a resource is: before its path (RFC 9728 §3.1). */
export function toMetadataUrl({ resource }: ResourceMetadata): string {
  const { origin, pathname, search } = new URL(resource)
  return `${origin}${WELL_KNOWN}${pathname === '/' ? '' : pathname}${search}`
}

/**
 * Finds what is said of the resource that a request is for: at its own path, or at the well-known place of its path.
 * @throws {TypeError} for a resource that is no URL of its own
 */
export function toMetadataSource(
  given: ResourceMetadata | ((path: string) => ResourceMetadata | undefined) | undefined,
): ((url: string) => ResourceMetadata | undefined) | undefined {
  if (given === undefined) return undefined
  const find = typeof given === 'function' ? (path: string) => checked(given(path)) : always(checked(given))
  return (url) => {
    const [path = '/'] = url.split('?', 1)
    if (!path.startsWith(WELL_KNOWN)) return find(path)
    const metadata = find(path.slice(WELL_KNOWN.length) || '/')
    // That of another resource would be refused by whoever reads it here (RFC 9728 §3.3).
    return metadata !== undefined && new URL(toMetadataUrl(metadata)).pathname === path ? metadata : undefined
  }
}

function always<T>(value: T): () => T {
  return () => value
}

function checked(metadata: ResourceMetadata | undefined): ResourceMetadata | undefined {
  if (metadata === undefined) return undefined
  const { resource } = metadata
  const url = URL.canParse(resource) ? new URL(resource) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.hash === '' && url.username === '') return metadata
  throw new TypeError(`Cannot describe the resource "${resource}": it is no URL of an endpoint`)
}

export const WELL_KNOWN = '/.well-known/oauth-protected-resource'
