import { hasCapability, type JsonObject, type ServerCapabilities, SKILLS } from '@crosspoint/mcp'

/** The things a server can offer. Adding a kind means a row here and a merge in `catalog.ts`. */
export const KINDS = {
  tools: {
    method: 'tools/list',
    listKey: 'tools',
    /** The member that names one of them within its server. */
    key: 'name',
    capability: 'tools',
    changed: 'notifications/tools/list_changed',
    flag: 'toolsListChanged',
  },
  resources: {
    method: 'resources/list',
    listKey: 'resources',
    key: 'uri',
    capability: 'resources',
    changed: 'notifications/resources/list_changed',
    flag: 'resourcesListChanged',
  },
  templates: {
    method: 'resources/templates/list',
    listKey: 'resourceTemplates',
    key: 'uriTemplate',
    capability: 'resources',
    changed: 'notifications/resources/list_changed',
    flag: 'resourcesListChanged',
  },
  prompts: {
    method: 'prompts/list',
    listKey: 'prompts',
    key: 'name',
    capability: 'prompts',
    changed: 'notifications/prompts/list_changed',
    flag: 'promptsListChanged',
  },
  /** Their files are resources, and change with them. */
  skills: {
    method: 'skills/list',
    listKey: 'skills',
    key: 'uri',
    capability: 'resources',
    extension: SKILLS,
    changed: 'notifications/resources/list_changed',
    flag: 'resourcesListChanged',
  },
} as const satisfies Record<string, KindRow>

export type Kind = keyof typeof KINDS
export type ListFlag = (typeof KINDS)[Kind]['flag']

export const ALL_KINDS = Object.keys(KINDS) as readonly Kind[] // the keys of a literal are its type's keys

interface KindRow {
  readonly method: string
  readonly listKey: string
  readonly key: string
  readonly capability: 'tools' | 'resources' | 'prompts'
  /** Offered only where this is announced besides. */
  readonly extension?: string
  readonly changed: string
  readonly flag: string
}

/** Whether a server says that it has things of a kind. */
export function hasKind(capabilities: ServerCapabilities, kind: Kind): boolean {
  const { capability, extension }: KindRow = KINDS[kind]
  const { extensions } = capabilities
  const isExtended = extension === undefined || (extensions !== undefined && Object.hasOwn(extensions, extension))
  return isExtended && hasCapability(capabilities, capability)
}

/** A listed thing: its key is a string, the rest is as the server wrote it. */
export type Item = JsonObject

export function keyOf(kind: Kind, item: Item): string {
  return item[KINDS[kind].key] as string // checked when the item was listed
}
