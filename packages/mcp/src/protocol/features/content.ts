import type { JsonObject } from '../../jsonrpc/frame.ts'

/** Content of tool results, prompt messages and sampling. Unknown kinds pass through. */
export interface TextContent extends JsonObject {
  readonly type: 'text'
  readonly text: string
}

export interface ImageContent extends JsonObject {
  readonly type: 'image'
  /** Base64. */
  readonly data: string
  readonly mimeType: string
}

export interface AudioContent extends JsonObject {
  readonly type: 'audio'
  /** Base64. */
  readonly data: string
  readonly mimeType: string
}

export interface ResourceContents extends JsonObject {
  readonly uri: string
  readonly mimeType?: string
  readonly text?: string
  /** Base64. */
  readonly blob?: string
}

export interface EmbeddedResource extends JsonObject {
  readonly type: 'resource'
  readonly resource: ResourceContents
}

export interface ResourceLink extends JsonObject {
  readonly type: 'resource_link'
  readonly uri: string
  readonly name: string
}

export type ContentBlock = TextContent | ImageContent | AudioContent | EmbeddedResource | ResourceLink
