import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'
import type { Result } from './call.ts'
import { parseUrl } from './url.ts'

/** A picture of a server, or of what it has (2025-11-25 basic, Icons). */
export interface Icon extends JsonObject {
  /** An https address or a `data:` URI. */
  readonly src: string
  readonly mimeType?: string
  /** As in `48x48`, or `any`. */
  readonly sizes?: readonly string[]
}

/**
 * The icons that a host may show: those at an https address without credentials, or in a `data:` URI. An address may
 * still lead anywhere: fetch it without cookies and follow no redirect to another origin. SVG is active content.
 * @param icons as a server gave them; what is no icon is left out
 * @param from the address of the server: with it, only pictures of the same origin are left, beside `data:`
 * @example
 * const [icon] = toSafeIcons(tool.icons, 'https://weather.example/mcp')
 */
export function toSafeIcons(icons: unknown, from?: string | URL): readonly Icon[] {
  if (!Array.isArray(icons)) return []
  const safe = icons.filter(isSafeIcon)
  if (from === undefined) return safe
  const { origin } = new URL(from)
  return safe.filter(({ src }) => DATA.test(src) || parseUrl(src)?.origin === origin)
}

/** A thing with its safe icons only; the same one where it has no others. */
export function withSafeIcons<Thing extends JsonObject>(thing: Thing): Thing {
  const { icons, ...others } = thing
  if (icons === undefined || (Array.isArray(icons) && icons.every(isSafeIcon))) return thing
  const safe = toSafeIcons(icons)
  return (safe.length === 0 ? others : { ...others, icons: safe }) as JsonObject as Thing // its icons may be missing
}

/** A page of a list without icons that nobody may show; the same one where it has none of those. */
export function withSafeItems<Page extends Result>(page: Page, member: string): Page {
  const items: unknown = page[member]
  if (!Array.isArray(items)) return page
  const safe = items.map((item: unknown) => (isObject(item) ? withSafeIcons(item) : item))
  return safe.every((item, at) => item === items[at]) ? page : { ...page, [member]: safe }
}

/**
 * @param what such as `register the tool "forecast"`
 * @throws {TypeError} for icons that no host may show
 */
export function checkIcons(what: string, icons: unknown): void {
  if (icons === undefined) return
  if (Array.isArray(icons) && icons.every(isSafeIcon)) return
  throw new TypeError(
    `Cannot ${what} with these icons: each has a "src" at "https://", without a password, or in a "data:" URI`,
  )
}

/** Held against the text as it is: what a browser would make of "java\tscript:" is no concern then. */
function isSafeIcon(icon: unknown): icon is Icon {
  if (!isObject(icon) || typeof icon.src !== 'string') return false
  if (DATA.test(icon.src)) return true
  const url = HTTPS.test(icon.src) ? parseUrl(icon.src) : undefined
  return url !== undefined && url.username === '' && url.password === ''
}

const DATA = /^data:/i
const HTTPS = /^https:\/\//i
