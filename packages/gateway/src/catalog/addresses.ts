/**
 * Addresses of resources. A URI passes through unchanged when only one server offers it. Otherwise the first server
 * in the configuration keeps it, and every other one is reached as `crosspoint:<server>/<uri>`; that form always
 * works, for any URI of any server, and is undone by cutting the prefix off.
 */

/** The public form that leads to one server whatever others offer. */
export function toQualifiedUri(server: string, native: string): string {
  return `${SCHEME}${server}/${native}`
}

/** Undoes {@link toQualifiedUri}; undefined for a URI of any other form. */
export function fromQualifiedUri(uri: string): { readonly server: string; readonly native: string } | undefined {
  if (!uri.startsWith(SCHEME)) return undefined
  const slash = uri.indexOf('/', SCHEME.length)
  return slash === -1 ? undefined : { server: uri.slice(SCHEME.length, slash), native: uri.slice(slash + 1) }
}

/** A URI that looks qualified already (a gateway behind a gateway) must be qualified, or it would lead elsewhere. */
export function isReserved(uri: string): boolean {
  return uri.startsWith(SCHEME)
}

/** The text of a template before its first expression: all URIs made from it begin so. */
export function toLiteralPrefix(template: string): string {
  const brace = template.indexOf('{')
  return brace === -1 ? template : template.slice(0, brace)
}

/** Scheme and authority (`file://`, `demo://resource`), for telling whose a URI is that nobody lists. */
export function toOrigin(uri: string): string {
  return /^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/[^/?#]*)?/.exec(uri)?.[0].toLowerCase() ?? ''
}

export function toScheme(uri: string): string {
  return /^[A-Za-z][A-Za-z0-9+.-]*:/.exec(uri)?.[0].toLowerCase() ?? ''
}

const SCHEME = 'crosspoint:'
