import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'
import { shown } from '../jsonrpc/shown.ts'
import type { ResourceContents } from '../protocol/features/content.ts'
import type { ReadResourceResult } from '../protocol/features/resources.ts'
import type { Skill, SkillResource } from '../protocol/features/skills.ts'
import { parseFrontmatter } from '../server/skills/frontmatter.ts'

/** A skill that was loaded and is what its entry says. */
export interface LoadedSkill {
  readonly skill: Skill
  /** SKILL.md, frontmatter included. */
  readonly text: string
  /** False where the server publishes no digests. */
  readonly isVerified: boolean
  /**
   * Reads a file of the skill and verifies it.
   * @param file its URI, or its path from the folder SKILL.md is in
   * @throws {McpError} `upstream.protocol` for a file that is not listed, or is not what was listed
   */
  read(file: string): Promise<ResourceContents>
}

/**
 * Loads a skill: reads its SKILL.md, and only that, and holds it against the entry. A digest says that content and
 * listing are of one mind, not that either can be trusted.
 * @param read reads a resource of the server the entry came from
 * @throws {McpError} `upstream.protocol` where anything differs: ask for the entry anew, it may be out of date
 */
export async function loadSkill(
  skill: Skill,
  read: (uri: string) => Promise<ReadResourceResult>,
): Promise<LoadedSkill> {
  const files = toFiles(skill)
  const readVerified = async (uri: string): Promise<ResourceContents> => {
    const file = files?.get(uri)
    if (files !== undefined && file === undefined) throw unlike(skill, `it does not list "${shown(uri)}"`)
    const contents = (await read(uri)).contents.find((one) => one.uri === uri)
    if (contents === undefined) throw unlike(skill, `reading "${shown(uri)}" gave something else`)
    if (file !== undefined) await checkFile(skill, file, contents)
    return contents
  }
  const { text } = await readVerified(skill.uri)
  if (typeof text !== 'string') throw unlike(skill, 'its SKILL.md is no text')
  const frontmatter = readFrontmatter(skill, text)
  if (!isSame(frontmatter, skill.frontmatter)) throw unlike(skill, 'its SKILL.md begins with another frontmatter')
  return { skill, text, isVerified: files !== undefined, read: (file) => readVerified(toUri(skill.uri, file)) }
}

function readFrontmatter(skill: Skill, text: string): JsonObject {
  try {
    return parseFrontmatter(text)
  } catch (error) {
    throw unlike(skill, `its SKILL.md cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function toFiles(skill: Skill): ReadonlyMap<string, SkillResource> | undefined {
  const { resources, uri } = skill
  if (!Array.isArray(resources)) return undefined
  const files = new Map<string, SkillResource>()
  for (const file of resources) {
    if (isObject(file) && typeof file.uri === 'string') files.set(file.uri, file as SkillResource) // the rest is compared
  }
  if (!files.has(uri)) throw unlike(skill, 'it does not list its own SKILL.md')
  return files
}

async function checkFile(
  skill: Skill,
  { uri, digest, size }: SkillResource,
  contents: ResourceContents,
): Promise<void> {
  const bytes = toBytes(contents)
  if (bytes === undefined) throw unlike(skill, `"${shown(uri)}" has no bytes`)
  if (size !== undefined && bytes.length !== size) {
    throw unlike(skill, `"${shown(uri)}" has ${bytes.length} bytes and is listed with ${String(size)}`)
  }
  const found = `sha256:${toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))}`
  if (found !== digest) throw unlike(skill, `"${shown(uri)}" has another digest than it is listed with`)
}

function toBytes({ text, blob }: ResourceContents): Uint8Array<ArrayBuffer> | undefined {
  if (typeof text === 'string') return new TextEncoder().encode(text)
  if (typeof blob !== 'string') return undefined
  try {
    return Uint8Array.from(atob(blob), (char) => char.charCodeAt(0))
  } catch {
    return undefined
  }
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Paths in a skill begin at the folder its SKILL.md is in. */
function toUri(skillUri: string, file: string): string {
  return /^[a-z][a-z0-9+.-]*:/i.test(file) ? file : skillUri.slice(0, skillUri.lastIndexOf('/') + 1) + file
}

/** The same content, whatever the order of members. */
function isSame(one: unknown, other: unknown): boolean {
  if (Array.isArray(one)) {
    return Array.isArray(other) && one.length === other.length && one.every((item, at) => isSame(item, other[at]))
  }
  if (!isObject(one) || !isObject(other)) return one === other
  const keys = Object.keys(one)
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isSame(one[key], other[key]))
  )
}

function unlike({ uri }: Skill, why: string): McpError {
  return new McpError('upstream.protocol', `Cannot use the skill "${shown(uri)}": ${why}`)
}
