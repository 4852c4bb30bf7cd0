import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Skill } from '../../protocol/features/skills.ts'
import { parseYaml } from './yaml.ts'

export type Frontmatter = Skill['frontmatter']

/**
 * Reads what a `SKILL.md` begins with.
 * @throws {Error} where there is no frontmatter, or none that can be read
 */
export function parseFrontmatter(text: string): JsonObject {
  const match = /^---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/.exec(text)
  const [, yaml] = match ?? []
  if (yaml === undefined) throw new Error('it has to begin with frontmatter between two lines of "---"')
  if (yaml.length > MAX_CHARS) throw new Error(`its frontmatter is longer than ${MAX_CHARS} characters`)
  const value = parseYaml(yaml)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('its frontmatter is no mapping of names to values')
  }
  return value as JsonObject // an object of what parseYaml makes
}

/**
 * Holds frontmatter against what the Agent Skills specification wants of it.
 * @param folder the last segment of the skill's path, which is its name
 */
export function checkFrontmatter(frontmatter: JsonObject, folder: string): Frontmatter {
  const { name, description } = frontmatter
  if (name !== folder) throw new Error(`its frontmatter says the name "${String(name)}", and its folder is "${folder}"`)
  if (!NAME.test(folder) || folder.length > 64) {
    throw new Error(`a name is 1 to 64 of lower-case letters, digits and single "-", unlike "${folder}"`)
  }
  if (typeof description !== 'string' || description.trim() === '') {
    throw new Error('its frontmatter has no "description"')
  }
  return { ...frontmatter, name: folder, description }
}

const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/
const MAX_CHARS = 64 * 1024
