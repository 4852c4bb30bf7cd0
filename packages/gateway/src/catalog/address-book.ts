import { parseUriTemplate, type UriTemplate } from '@crosspoint/mcp'
import { fromQualifiedUri, isReserved, toLiteralPrefix, toOrigin, toQualifiedUri, toScheme } from './addresses.ts'
import type { Destination, Entry, Source } from './catalog.ts'

export interface Address {
  readonly source: Source
  readonly native: string
}

/**
 * Finds the server of a URI, listed or not, and the way back. A URI nobody lists goes to the server it is qualified
 * for; else to the one in whose skill it is; else to the one whose template it fits, the longest beginning first; else to the only one that offers
 * anything of the same scheme and authority; else of the same scheme; else to the only one that has resources at
 * all. It is never tried around: a URI is nobody's business but its server's.
 */
export interface AddressBook {
  find(uri: string): Address | undefined
  /** How callers reach what this server calls `native`. */
  toPublic(destination: Destination, native: string): string
  /** Whether there is something at a URI that those who have this book may not see. Absent: they may see everything. */
  readonly hides?: (uri: string) => boolean
}

/**
 * @param sources whom callers of this book may reach
 * @param lists what they list
 * @param isVisible whether what is listed under a URI may be read here
 */
export function createAddressBook(
  sources: readonly Source[],
  { resources, templates, skills }: Readonly<Record<'resources' | 'templates' | 'skills', readonly Entry[]>>,
  isVisible: (uri: string) => boolean,
): AddressBook {
  const listed = new Map(resources.map((entry) => [entry.name, entry]))
  const folders = toFolders(skills)
  const patterns = toPatterns(templates)
  const origins = toOwners([...resources, ...templates], toOrigin)
  const schemes = toOwners([...resources, ...templates], toScheme)
  const withResources = sources.filter(({ offer }) => offer?.capabilities.resources !== undefined)

  function locate(uri: string): Address | undefined {
    const entry = listed.get(uri)
    if (entry !== undefined) return entry
    if (isReserved(uri)) return locateQualified(uri)
    const folder = findFolder(folders, uri)
    if (folder !== undefined) return { source: folder, native: uri }
    const pattern = patterns.find(({ prefix, template }) => uri.startsWith(prefix) && template.match(uri) !== undefined)
    if (pattern !== undefined) return { source: pattern.source, native: uri }
    const owner = origins.get(toOrigin(uri)) ?? schemes.get(toScheme(uri))
    if (owner === SEVERAL) return undefined
    const source = owner ?? (withResources.length === 1 ? withResources[0] : undefined)
    return source === undefined ? undefined : { source, native: uri }
  }

  function locateQualified(uri: string): Address | undefined {
    const { server, native } = fromQualifiedUri(uri) ?? { server: '', native: '' }
    const source = sources.find(({ destination }) => destination.name === server)
    return source === undefined ? undefined : { source, native }
  }

  function toPublic({ name }: Destination, native: string): string {
    const found = isReserved(native) ? undefined : locate(native)
    if (found !== undefined && found.source.destination.name === name) return native
    // A web address nobody offers is for the caller to fetch.
    return found === undefined && /^https?:/i.test(native) ? native : toQualifiedUri(name, native)
  }

  return {
    find(uri) {
      const found = locate(uri)
      // By the form it is listed in, so that no other spelling of an address shows what is hidden.
      return found !== undefined && isVisible(toPublic(found.source.destination, found.native)) ? found : undefined
    },
    toPublic,
  }
}

/** By the folder their SKILL.md is in, with its last slash: all in it is of the skill. */
function toFolders(skills: readonly Entry[]): ReadonlyMap<string, Source> {
  const folders = new Map<string, Source>()
  for (const { source, name } of skills) {
    const end = name.lastIndexOf('/') + 1
    if (!isReserved(name) && end > 0) folders.set(name.slice(0, end), source)
  }
  return folders
}

/** The innermost folder that a URI is in, or is. */
function findFolder(folders: ReadonlyMap<string, Source>, uri: string): Source | undefined {
  if (folders.size === 0) return undefined
  const path = `${uri}/`
  for (let end = path.length - 1; end > 0; end = path.lastIndexOf('/', end - 1)) {
    const source = folders.get(path.slice(0, end + 1))
    if (source !== undefined) return source
  }
  return undefined
}

interface Pattern {
  readonly source: Source
  readonly prefix: string
  readonly template: UriTemplate
}

/** Qualified templates need no matching: their URIs say whose they are. */
function toPatterns(templates: readonly Entry[]): readonly Pattern[] {
  const patterns: Pattern[] = []
  for (const { source, name } of templates) {
    if (isReserved(name)) continue
    const template = tryParse(name)
    if (template !== undefined) patterns.push({ source, prefix: toLiteralPrefix(name), template })
  }
  return patterns.sort((a, b) => b.prefix.length - a.prefix.length)
}

/** A template we cannot read is still listed; its URIs find their way by origin. */
function tryParse(text: string): UriTemplate | undefined {
  try {
    return parseUriTemplate(text)
  } catch {
    return undefined
  }
}

const SEVERAL = Symbol('several servers')

function toOwners(
  entries: readonly Entry[],
  toKey: (uri: string) => string,
): ReadonlyMap<string, Source | typeof SEVERAL> {
  const owners = new Map<string, Source | typeof SEVERAL>()
  for (const { source, native } of entries) {
    const key = toKey(native)
    if (key === '') continue
    const owner = owners.get(key)
    owners.set(key, owner === undefined || owner === source ? source : SEVERAL)
  }
  return owners
}
