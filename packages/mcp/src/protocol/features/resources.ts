import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Result } from '../call.ts'
import { defineMethod } from '../method.ts'
import type { ResourceContents } from './content.ts'

export interface Resource extends JsonObject {
  readonly uri: string
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly mimeType?: string
  /** Raw bytes, before any encoding. */
  readonly size?: number
}

export interface ResourceTemplate extends JsonObject {
  /** RFC 6570. */
  readonly uriTemplate: string
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly mimeType?: string
}

export interface ListResourcesResult extends Result {
  readonly resources: readonly Resource[]
  readonly nextCursor?: string
}

export interface ListResourceTemplatesResult extends Result {
  readonly resourceTemplates: readonly ResourceTemplate[]
  readonly nextCursor?: string
}

export interface ReadResourceParams extends JsonObject {
  readonly uri: string
}

export interface ReadResourceResult extends Result {
  readonly contents: readonly ResourceContents[]
}

export interface ResourceUpdatedParams extends JsonObject {
  readonly uri: string
}

const common = { kind: 'request', from: 'client', feature: 'resources', capability: 'resources' } as const

export const listResources = defineMethod({ ...common, name: 'resources/list', cacheable: true, listKey: 'resources' })
export const listResourceTemplates = defineMethod({
  ...common,
  name: 'resources/templates/list',
  cacheable: true,
  listKey: 'resourceTemplates',
})
export const readResource = defineMethod({
  ...common,
  name: 'resources/read',
  nameParam: 'uri',
  cacheable: true,
  mayAsk: true,
})
export const subscribeResource = defineMethod({
  ...common,
  name: 'resources/subscribe',
  capability: 'resources.subscribe',
})
export const unsubscribeResource = defineMethod({
  ...common,
  name: 'resources/unsubscribe',
  capability: 'resources.subscribe',
})
export const resourceUpdated = defineMethod({
  name: 'notifications/resources/updated',
  kind: 'notification',
  from: 'server',
  feature: 'resources',
  capability: 'resources.subscribe',
})
export const resourcesListChanged = defineMethod({
  name: 'notifications/resources/list_changed',
  kind: 'notification',
  from: 'server',
  feature: 'resources',
  capability: 'resources.listChanged',
})
