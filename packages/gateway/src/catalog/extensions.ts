import { hasTasks, type JsonObject, SKILLS, TASKS, UI } from '@crosspoint/mcp'
import type { Source } from './catalog.ts'

/** The extensions that reach callers through us, where a server has them: tasks, skills, and pages that come with tools (MCP Apps). */
export function toExtensions(sources: readonly Source[]): { readonly extensions?: JsonObject } {
  const offered = sources.flatMap(({ offer }) => (offer === undefined ? [] : [offer.capabilities]))
  const pages = offered.map(({ extensions }) => extensions?.[UI]).filter(isObject)
  const skills = offered.map(({ extensions }) => extensions?.[SKILLS]).filter(isObject)
  const readsFolders = skills.some(({ directoryRead }) => directoryRead === true)
  const extensions = {
    ...(offered.some(hasTasks) ? { [TASKS]: {} } : {}),
    ...(skills.length === 0 ? {} : { [SKILLS]: readsFolders ? { directoryRead: true } : {} }),
    ...(pages.length === 0 ? {} : { [UI]: join(pages) }),
  }
  return Object.keys(extensions).length === 0 ? {} : { extensions }
}

/** What the first says of it, with the types of all. */
function join(pages: readonly JsonObject[]): JsonObject {
  const types = pages.flatMap(({ mimeTypes }) => (Array.isArray(mimeTypes) ? (mimeTypes as readonly unknown[]) : []))
  const mimeTypes = [...new Set(types.filter((type) => typeof type === 'string'))]
  return { ...pages[0], ...(mimeTypes.length === 0 ? {} : { mimeTypes }) }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
