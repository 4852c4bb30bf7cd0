import type { Principal } from '../protocol/call.ts'
import type { Access } from './access.ts'
import type { PromptRegistry, PromptShelf } from './prompts.ts'
import {
  hasResource,
  type ResourceRegistry,
  type ResourceShelf,
  type TemplateRegistry,
  type TemplateShelf,
} from './resources.ts'
import { findSkillFile, type SkillRegistry, type SkillShelf, toSeenSkills } from './skills/skills.ts'
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

/** Who may see what is at a URI now; undefined where everybody may. What is there no more has only the rules for all. */
export function toRule(
  registries: Registries,
  access: Access,
  uri: string,
): ((principal: Principal) => boolean) | undefined {
  if (!isGuarded(registries, access)) return undefined
  const isThere = isAt(registries, uri)
  return (principal) =>
    isThere
      ? isAt(toSeen(registries, access, principal), uri)
      : access.allows(principal, { kind: 'resource', key: uri })
}

/** Whether a resource, a template or a file of a skill is at a URI. */
export function isAt({ resources, templates, skills }: Shelves, uri: string): boolean {
  return hasResource(resources, templates, uri) || findSkillFile(skills, uri) !== undefined
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
