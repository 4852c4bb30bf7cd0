import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Skill, SkillResource } from '../../protocol/features/skills.ts'
import type { Guarded } from '../access.ts'
import { MANIFEST, type SkillFile, type SkillFiles, toSegments, toSkillFile } from './files.ts'
import { checkFrontmatter, type Frontmatter, parseFrontmatter } from './frontmatter.ts'

/** A folder of instructions for models. */
export interface SkillDefinition extends Guarded {
  /** All its files, `SKILL.md` among them. At most 512, and 16 MiB together: what every host must accept. */
  readonly files: SkillFiles
  /** What `SKILL.md` begins with, where its YAML is more than is understood here. Default: read from it. */
  readonly frontmatter?: JsonObject
}

/** A skill at work: nothing in it changes, so each digest is made once. */
export interface LiveSkill {
  readonly uri: string
  /** The URI of its folder. */
  readonly root: string
  readonly frontmatter: Frontmatter
  readonly manifest: SkillFile
  /** By URI. What is not in here is not served. */
  readonly files: ReadonlyMap<string, SkillFile>
  entry(): Promise<Skill>
}

/**
 * @param path of its folder among all skills, as in `acme/billing/refunds`
 * @throws {Error} for what no host would accept
 */
export function toLiveSkill(path: string, definition: SkillDefinition): LiveSkill {
  try {
    return build(path, definition)
  } catch (error) {
    throw new Error(`Cannot register the skill "${path}": ${error instanceof Error ? error.message : String(error)}`)
  }
}

function build(path: string, { files: given, frontmatter: stated }: SkillDefinition): LiveSkill {
  const segments = toSegments(path)
  const root = `skill://${segments.map(encodeURIComponent).join('/')}`
  const files = new Map<string, SkillFile>()
  let bytes = 0
  for (const [name, content] of Object.entries(given)) {
    const file = toSkillFile(root, name, content)
    files.set(file.uri, file)
    bytes += file.bytes.length
  }
  if (files.size > MAX_FILES) throw new Error(`it has ${files.size} files, and at most ${MAX_FILES} work`)
  if (bytes > MAX_BYTES) throw new Error(`it has ${bytes} bytes, and at most ${MAX_BYTES} work`)
  const uri = `${root}/${MANIFEST}`
  const manifest = files.get(uri)
  if (manifest?.text === undefined) throw new Error(`it has no file "${MANIFEST}", or it is no text`)
  const frontmatter = checkFrontmatter(stated ?? parseFrontmatter(manifest.text), segments.at(-1) ?? '')
  let entry: Promise<Skill> | undefined
  return {
    uri,
    root,
    frontmatter,
    manifest,
    files,
    entry() {
      entry ??= Promise.all([...files.values()].map(toResource)).then((resources) => ({ uri, frontmatter, resources }))
      return entry
    },
  }
}

async function toResource({ uri, bytes }: SkillFile): Promise<SkillResource> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes)))
  const hex = [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return { uri, digest: `sha256:${hex}`, size: bytes.length }
}

/** SEP-2640, Limits: what hosts must support, and servers should not exceed. */
const MAX_FILES = 512
const MAX_BYTES = 16 * 1024 * 1024
