import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Subject } from '../access.ts'
import type { ListChange } from '../listeners.ts'

/** The four things a mounted server can offer. */
export const KINDS = {
  tools: { method: 'tools/list', listKey: 'tools', key: 'name', subject: 'tool', change: 'toolsListChanged' },
  prompts: { method: 'prompts/list', listKey: 'prompts', key: 'name', subject: 'prompt', change: 'promptsListChanged' },
  resources: {
    method: 'resources/list',
    listKey: 'resources',
    key: 'uri',
    subject: 'resource',
    change: 'resourcesListChanged',
  },
  templates: {
    method: 'resources/templates/list',
    listKey: 'resourceTemplates',
    key: 'uriTemplate',
    subject: 'resource template',
    change: 'resourcesListChanged',
  },
} as const satisfies Record<string, KindRow>

export type Kind = keyof typeof KINDS
export const ALL_KINDS = Object.keys(KINDS) as readonly Kind[] // the keys of a literal are its type's keys

/** A listed thing, as its server wrote it: its key was looked at when it was listed. */
export type Item = JsonObject

interface KindRow {
  readonly method: string
  readonly listKey: string
  /** The member that names one of them. */
  readonly key: string
  readonly subject: Subject['kind']
  readonly change: ListChange
}
