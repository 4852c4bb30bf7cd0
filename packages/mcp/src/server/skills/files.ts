/** What a skill is made of: the content of each file, by its path from the folder of the skill, parted by `/`. */
export type SkillFiles = Readonly<Record<string, string | Uint8Array>>

/** A skill as it lies somewhere. */
export interface SkillFolder {
  /** Of its folder among all skills. */
  readonly path: string
  readonly files: SkillFiles
}

/** A file as it is served. */
export interface SkillFile {
  readonly uri: string
  readonly name: string
  readonly mimeType: string
  readonly bytes: Uint8Array
  /** Undefined for what is no UTF-8. */
  readonly text: string | undefined
}

export const MANIFEST = 'SKILL.md'

/** @throws {Error} for a path that leads anywhere but down, or is written in more than one way */
export function toSkillFile(root: string, path: string, content: string | Uint8Array): SkillFile {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  const text = typeof content === 'string' ? content : toText(content)
  const segments = toSegments(path)
  return {
    uri: `${root}/${segments.map(encodeURIComponent).join('/')}`,
    name: segments.at(-1) ?? path,
    mimeType: toMediaType(path, text !== undefined),
    bytes,
    text,
  }
}

/** @throws {Error} as above */
export function toSegments(path: string): readonly string[] {
  const segments = path.split('/')
  for (const segment of segments) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    if (segment === '' || segment === '.' || segment === '..' || /[\\\x00-\x1f\x7f]/.test(segment)) {
      throw new Error(
        `Cannot serve the file "${path}" of a skill: its path has to lead down from the folder, as in "a/b.md"`,
      )
    }
  }
  return segments
}

/** What differs from the bytes when written again (a byte order mark, say) is no text here: digests are of the bytes. */
function toText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function toMediaType(path: string, isText: boolean): string {
  const ending = /\.([A-Za-z0-9]+)$/.exec(path)?.[1]?.toLowerCase()
  const known = ending !== undefined && Object.hasOwn(MEDIA_TYPES, ending) ? MEDIA_TYPES[ending] : undefined
  return known ?? (isText ? 'text/plain' : 'application/octet-stream')
}

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  md: 'text/markdown',
  html: 'text/html',
  css: 'text/css',
  csv: 'text/csv',
  xml: 'application/xml',
  json: 'application/json',
  yaml: 'application/yaml',
  yml: 'application/yaml',
  js: 'text/javascript',
  mjs: 'text/javascript',
  pdf: 'application/pdf',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  svg: 'image/svg+xml',
  zip: 'application/zip',
}
