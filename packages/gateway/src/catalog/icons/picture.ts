import { McpError } from '@crosspoint/mcp'

/** A picture that any host may show. */
export interface Picture {
  readonly mimeType: string
  readonly bytes: Uint8Array
}

/**
 * Reads a picture by its type and what is in it, which must agree (2025-11-25 basic, Icons: check types, sniff contents,
 * keep a list of allowed ones). SVG is a program as much as a picture: it is taken only where nothing in it can run, load or
 * be hidden from this look. As most servers have icons of that kind, refusing all would leave few.
 * @param contentType as the server sent it
 * @throws {McpError} `upstream.protocol` for what is none
 */
export function parsePicture(contentType: string, bytes: Uint8Array): Picture {
  const mimeType = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const isSuch = TYPES.get(mimeType)
  if (isSuch === undefined) throw unfit(`its type is "${mimeType.slice(0, 80)}"`)
  if (!isSuch(bytes)) throw unfit(`what is in it is no ${mimeType}, or not a harmless one`)
  return { mimeType, bytes }
}

function unfit(why: string): McpError {
  const types = [...TYPES.keys()].join(', ')
  return new McpError('upstream.protocol', `Cannot show it: ${why}; shown are ${types} without scripts`)
}

const begins =
  (...beginning: readonly number[]) =>
  (bytes: Uint8Array) =>
    beginning.every((byte, at) => bytes[at] === byte)

const isRiff = begins(0x52, 0x49, 0x46, 0x46)
const isWebp = begins(0x57, 0x45, 0x42, 0x50)

const TYPES: ReadonlyMap<string, (bytes: Uint8Array) => boolean> = new Map([
  ['image/png', begins(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)],
  ['image/jpeg', begins(0xff, 0xd8, 0xff)],
  ['image/gif', begins(0x47, 0x49, 0x46, 0x38)],
  ['image/webp', (bytes) => isRiff(bytes) && isWebp(bytes.subarray(8))],
  ['image/svg+xml', isHarmlessSvg],
])

function isHarmlessSvg(bytes: Uint8Array): boolean {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return false
  }
  if (!/<svg[\s>]/.test(text) || ACTIVE.test(text)) return false
  for (const [, to = ''] of text.matchAll(REFERENCES)) if (!INSIDE.test(to)) return false
  return true
}

/**
 * What runs, also where somebody reads this as HTML, or what says in other letters what this text does not: entities, a
 * document type, an encoding of its own, escapes of style sheets.
 */
const ACTIVE = new RegExp(
  [
    'script|foreignobject|xml-stylesheet|@import',
    '<(?:[\\w-]+:)?(?:iframe|object|embed|audio|video|handler|listener|html|body|img|meta|link|base|form|math)[\\s/>]',
    '[\\s/"\']on[a-z]+\\s*=',
    '<!(?!--|\\[CDATA\\[)|&(?!(?:amp|lt|gt|quot|apos);)|encoding\\s*=\\s*["\'](?!utf-8["\'])|\\\\',
  ].join('|'),
  'i',
)
/** Where something else is pointed at. */
const REFERENCES = /(?:href\s*=|src\s*=|url\()\s*["']?\s*([^"')\s>]*)/gi
/** In the same file, or a picture that is part of it and no SVG again. */
const INSIDE = /^(?:#|data:image\/(?:png|jpeg|gif|webp)[;,]|$)/i
