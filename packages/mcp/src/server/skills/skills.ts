import { McpError } from '../../errors.ts'
import { shown } from '../../jsonrpc/shown.ts'
import type { Call, Principal, Result } from '../../protocol/call.ts'
import type { Resource } from '../../protocol/features/resources.ts'
import type { Skill } from '../../protocol/features/skills.ts'
import type { Access, Subject } from '../access.ts'
import { type ChangedThing, Registry, type Shelf } from '../registry.ts'
import { MANIFEST, type SkillFile } from './files.ts'
import { type LiveSkill, type SkillDefinition, toLiveSkill } from './live-skill.ts'

export type SkillRegistry = Registry<SkillDefinition, undefined, LiveSkill, LiveSkill>

/** What somebody may see of the skills. */
export interface SkillShelf extends Shelf<LiveSkill, LiveSkill> {
  /** Whether it may be shown a file of one, by its URI. Default: all of them. */
  readonly shows?: (uri: string) => boolean
}

/**
 * What of the skills this caller may see. A skill inside of another is ruled by its own rule: its files belong to the
 * outer one too, but only for those who may see the inner one.
 */
export function toSeenSkills(skills: SkillRegistry, access: Access, who: Principal): SkillShelf {
  const seen = skills.seenBy(who, access)
  const shows = (uri: string) => {
    for (let end = uri.lastIndexOf('/'); end > SCHEME.length; end = uri.lastIndexOf('/', end - 1)) {
      const path = decodeURIComponent(uri.slice(SCHEME.length, end))
      if (skills.find(path) !== undefined) return seen.find(path) !== undefined
    }
    return false
  }
  return { ...seen, shows }
}

/** @param pageSize most entries of a page; skills are cut at 50, since an entry may list 512 files */
export function createSkillRegistry(pageSize: number, changed: (what: ChangedThing) => void): SkillRegistry {
  return new Registry({
    what: 'skill',
    pageSize: Math.min(pageSize, MAX_PAGE),
    build(path, definition) {
      const live = toLiveSkill(path, definition)
      return { listed: live, live }
    },
    changed,
  })
}

/** What rules are asked about the `SKILL.md` that is listed among the resources: the skill. */
export function toSkillSubject(skills: SkillRegistry, uri: string): Subject | undefined {
  if (!uri.startsWith(SCHEME) || !uri.endsWith(`/${MANIFEST}`)) return undefined
  const key = decodeURIComponent(uri.slice(SCHEME.length, -MANIFEST.length - 1))
  return skills.peek(key) === undefined ? undefined : { kind: 'skill', key }
}

export async function listSkills(skills: SkillShelf, call: Call): Promise<Result> {
  const { items, nextCursor } = skills.page(call.params.cursor)
  const entries = await Promise.all(items.map((skill) => toEntry(skill, skills)))
  return nextCursor === undefined ? { skills: entries } : { skills: entries, nextCursor }
}

export async function getSkill(skills: SkillShelf, call: Call): Promise<Result> {
  const { uri } = call.params
  const skill = skills.all().find((one) => one.uri === uri)
  if (skill !== undefined) return { skill: await toEntry(skill, skills) }
  throw new McpError('caller.invalid_params', `No skill at "${shown(String(uri))}": name the URI of its SKILL.md`)
}

async function toEntry(skill: LiveSkill, { shows }: SkillShelf): Promise<Skill> {
  const entry = await skill.entry()
  if (shows === undefined || !Array.isArray(entry.resources)) return entry
  return { ...entry, resources: entry.resources.filter(({ uri }) => shows(uri)) }
}

/** The file at a URI. It is looked up and nothing else: no part of a URI ever becomes a path. */
export function findSkillFile(skills: SkillShelf, uri: unknown): SkillFile | undefined {
  if (typeof uri !== 'string' || !uri.startsWith(SCHEME)) return undefined
  for (const { files } of skills.all()) {
    const file = files.get(uri)
    if (file !== undefined) return skills.shows?.(uri) === false ? undefined : file
  }
  return undefined
}

export function toSkillContents({ uri, mimeType, bytes, text }: SkillFile): Result {
  const content = text === undefined ? { blob: toBase64(bytes) } : { text }
  return { contents: [{ uri, mimeType, ...content }] }
}

/** The direct children of a folder of skills, of a skill, or of a folder in one. */
export function readDirectory(skills: SkillShelf, pageSize: number, call: Call): Result {
  const { uri, cursor } = call.params
  const inside = typeof uri === 'string' ? `${uri}/` : undefined
  const children = new Map<string, Resource>()
  for (const { files } of skills.all()) {
    for (const file of files.values()) {
      if (inside === undefined || !file.uri.startsWith(inside) || skills.shows?.(file.uri) === false) continue
      const child = toChild(file, inside)
      children.set(child.uri, child)
    }
  }
  if (children.size === 0) throw new McpError('caller.invalid_params', `No folder at "${shown(String(uri))}"`)
  return toPage([...children.values()], pageSize, cursor)
}

function toChild({ uri, name, mimeType, bytes }: SkillFile, inside: string): Resource {
  const slash = uri.indexOf('/', inside.length)
  if (slash === -1) return { uri, name, mimeType, size: bytes.length }
  return { uri: uri.slice(0, slash), name: decodeURIComponent(uri.slice(inside.length, slash)), mimeType: DIRECTORY }
}

/** A cursor is the place where the next page begins: what is in a skill does not change under its readers. */
function toPage(children: readonly Resource[], pageSize: number, cursor: unknown): Result {
  const from = cursor === undefined ? 0 : Number(cursor)
  if (
    !Number.isInteger(from) ||
    from < 0 ||
    (cursor !== undefined && String(from) !== cursor) ||
    from > children.length
  ) {
    throw new McpError('caller.invalid_params', 'Cannot read the folder: the cursor is not one of this list')
  }
  const resources = children.slice(from, from + pageSize)
  const next = from + resources.length
  return next < children.length ? { resources, nextCursor: String(next) } : { resources }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

const SCHEME = 'skill://'
const MAX_PAGE = 50
const DIRECTORY = 'inode/directory'
