import type { Principal } from '../protocol/call.ts'
import type { Access } from './access.ts'
import type { PromptRegistry, PromptShelf } from './prompts.ts'
import type { ResourceRegistry, ResourceShelf, TemplateRegistry, TemplateShelf } from './resources.ts'
import { type SkillRegistry, type SkillShelf, toSeenSkills } from './skills/skills.ts'
import type { ToolRegistry, ToolShelf } from './tools.ts'

/** Everything registered. */
export interface Registries {
  readonly tools: ToolRegistry
  readonly prompts: PromptRegistry
  readonly resources: ResourceRegistry
  readonly templates: TemplateRegistry
  readonly skills: SkillRegistry
}

/** What of it somebody may see. */
export interface Shelves {
  readonly tools: ToolShelf
  readonly prompts: PromptShelf
  readonly resources: ResourceShelf
  readonly templates: TemplateShelf
  readonly skills: SkillShelf
}

/** Where nothing is guarded everybody sees the same, and nobody pays for asking. */
export function isGuarded(registries: Registries, access: Access): boolean {
  const { tools, prompts, resources, templates, skills } = registries
  return access.hasRules || [tools, prompts, resources, templates, skills].some(({ hasRules }) => hasRules)
}

export function toSeen(
  { tools, prompts, resources, templates, skills }: Registries,
  access: Access,
  who: Principal,
): Shelves {
  return {
    tools: tools.seenBy(who, access),
    prompts: prompts.seenBy(who, access),
    resources: resources.seenBy(who, access),
    templates: templates.seenBy(who, access),
    skills: toSeenSkills(skills, access, who),
  }
}
