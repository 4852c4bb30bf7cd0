import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Result } from '../call.ts'
import { defineMethod } from '../method.ts'
import type { ContentBlock } from './content.ts'

export interface ToolAnnotations extends JsonObject {
  readonly title?: string
  readonly readOnlyHint?: boolean
  readonly destructiveHint?: boolean
  readonly idempotentHint?: boolean
  readonly openWorldHint?: boolean
}

/** A tool as a server offers it. The schemas pass through untouched. */
export interface Tool extends JsonObject {
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly inputSchema: JsonObject
  readonly outputSchema?: JsonObject
  readonly annotations?: ToolAnnotations
  /** Whether a call may or must be a task, told to callers that decide it themselves (`TaskWish.core`). */
  readonly execution?: { readonly taskSupport?: 'optional' | 'required' | 'forbidden' }
}

export interface ListToolsResult extends Result {
  readonly tools: readonly Tool[]
  readonly nextCursor?: string
}

export interface CallToolParams extends JsonObject {
  readonly name: string
  readonly arguments?: JsonObject
}

/** `structuredContent` may be any JSON value, `null` included: test for presence, not truth. */
export interface CallToolResult extends Result {
  readonly content: readonly ContentBlock[]
  readonly structuredContent?: unknown
  readonly isError?: boolean
}

export const listTools = defineMethod({
  name: 'tools/list',
  kind: 'request',
  from: 'client',
  feature: 'tools',
  capability: 'tools',
  cacheable: true,
  listKey: 'tools',
})
export const callTool = defineMethod({
  name: 'tools/call',
  kind: 'request',
  from: 'client',
  feature: 'tools',
  capability: 'tools',
  nameParam: 'name',
  mayAsk: true,
})
export const toolsListChanged = defineMethod({
  name: 'notifications/tools/list_changed',
  kind: 'notification',
  from: 'server',
  feature: 'tools',
  capability: 'tools.listChanged',
})
