import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Result } from '../call.ts'
import { SKILLS } from '../extensions.ts'
import { defineMethod } from '../method.ts'
import type { Resource } from './resources.ts'

/** Folders of instructions for models, over resources (the skills extension, SEP-2640). */

/** A file of a skill, and what its bytes are. */
export interface SkillResource extends JsonObject {
  readonly uri: string
  /** `sha256:` and 64 hex digits, of the raw bytes. */
  readonly digest: string
  /** Raw bytes. */
  readonly size: number
}

export interface Skill extends JsonObject {
  /** Of its `SKILL.md`. */
  readonly uri: string
  /** What `SKILL.md` begins with, as JSON. */
  readonly frontmatter: JsonObject & { readonly name: string; readonly description: string }
  /** All its files, or that they are made anew each time. */
  readonly resources: readonly SkillResource[] | 'dynamic'
}

export interface ListSkillsResult extends Result {
  readonly skills: readonly Skill[]
  readonly nextCursor?: string
}

export interface GetSkillResult extends Result {
  readonly skill: Skill
}

/** The direct children of a directory: files, and directories of the type `inode/directory`. */
export interface ReadDirectoryResult extends Result {
  readonly resources: readonly Resource[]
  readonly nextCursor?: string
}

const request = { kind: 'request', from: 'client', feature: 'skills', extension: SKILLS } as const

export const listSkills = defineMethod({ ...request, name: 'skills/list', cacheable: true, listKey: 'skills' })
export const getSkill = defineMethod({ ...request, name: 'skills/get', cacheable: true })
export const readDirectory = defineMethod({ ...request, name: 'resources/directory/read', listKey: 'resources' })
