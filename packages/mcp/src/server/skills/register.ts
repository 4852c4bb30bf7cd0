import type { Registration } from '../registry.ts'
import type { ResourceDefinition, ResourceRegistry } from '../resources.ts'
import type { LiveSkill, SkillDefinition } from './live-skill.ts'
import type { SkillRegistry } from './skills.ts'

export type SkillRegistration = Registration<SkillDefinition, never>

/** A skill, and its `SKILL.md` among the resources: who does not know skills finds it there. */
export function registerSkill(
  skills: SkillRegistry,
  resources: ResourceRegistry,
  path: string,
  definition: SkillDefinition,
): SkillRegistration {
  const skill = skills.add(path, definition, undefined)
  const { access } = definition
  const guarded = access === undefined ? {} : { access }
  let manifest: Registration<ResourceDefinition, unknown>
  try {
    const live = toLive(skills, path)
    manifest = resources.add(live.uri, { ...toListed(live), ...guarded }, () => toLive(skills, path).manifest.text)
  } catch (error) {
    skill.remove()
    throw error
  }
  return {
    key: path,
    get enabled() {
      return skill.enabled
    },
    update(changes) {
      skill.update(changes)
      manifest.update({ ...toListed(toLive(skills, path)), ...('access' in changes ? { access: changes.access } : {}) })
    },
    enable() {
      skill.enable()
      manifest.enable()
    },
    disable() {
      skill.disable()
      manifest.disable()
    },
    remove() {
      manifest.remove() // before what says which skill it is of
      skill.remove()
    },
  }
}

function toLive(skills: SkillRegistry, path: string): LiveSkill {
  const live = skills.peek(path)
  if (live === undefined) throw new Error(`Cannot find the skill "${path}": it was removed`)
  return live
}

function toListed({ frontmatter, manifest }: LiveSkill): ResourceDefinition {
  const { name, description } = frontmatter
  return { name, description, mimeType: manifest.mimeType, size: manifest.bytes.length }
}
