/** A door that is open. */
export interface Place {
  /** Of the door: `http://127.0.0.1:8360`. */
  readonly origin: string
  /** The one view that is served at its root; undefined: everything there, and each view under its name. */
  readonly view: string | undefined
}

/** Of an endpoint, as callers know it. */
export interface Resource {
  readonly url: string
  readonly view: string | undefined
}

/**
 * The endpoint at a path of a door. With a public address below a path of its own, proxies may ask with it or without.
 * @param base public address of the gateway; undefined: that of the door
 */
export function toResource(
  path: string,
  place: Place,
  base: string | undefined,
  hasView: (view: string) => boolean,
): Resource | undefined {
  const prefix = base === undefined ? '' : new URL(base).pathname.replace(/\/$/, '')
  const inner = prefix !== '' && path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path
  const [, root, view] = /^\/(mcp|sse)(?:\/([\w-]+))?$/.exec(inner) ?? []
  if (root === undefined) return undefined
  if (view !== undefined && (place.view !== undefined || !hasView(view))) return undefined
  return { url: `${base ?? place.origin}${inner}`, view: view ?? place.view }
}

/** How tokens may name a view: the URLs it is served at, and no others (RFC 8707). */
export function toNames(
  view: string | undefined,
  places: Iterable<Place>,
  base: string | undefined,
): readonly string[] {
  const names = new Set<string>()
  for (const place of places) {
    if (place.view !== undefined && place.view !== view) continue
    const below = view === undefined || place.view === view ? '' : `/${view}`
    for (const root of ROOTS) names.add(`${base ?? place.origin}${root}${below}`)
  }
  return [...names]
}

/** One endpoint over two transports. */
const ROOTS = ['/mcp', '/sse']
