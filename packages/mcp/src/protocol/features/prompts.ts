import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Result } from '../call.ts'
import { defineMethod } from '../method.ts'
import type { ContentBlock } from './content.ts'

export interface PromptArgument extends JsonObject {
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly required?: boolean
}

export interface Prompt extends JsonObject {
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly arguments?: readonly PromptArgument[]
}

export interface PromptMessage extends JsonObject {
  readonly role: 'user' | 'assistant'
  readonly content: ContentBlock
}

export interface ListPromptsResult extends Result {
  readonly prompts: readonly Prompt[]
  readonly nextCursor?: string
}

export interface GetPromptParams extends JsonObject {
  readonly name: string
  readonly arguments?: { readonly [name: string]: string }
}

export interface GetPromptResult extends Result {
  readonly description?: string
  readonly messages: readonly PromptMessage[]
}

const common = { kind: 'request', from: 'client', feature: 'prompts', capability: 'prompts' } as const

export const listPrompts = defineMethod({ ...common, name: 'prompts/list', cacheable: true, listKey: 'prompts' })
export const getPrompt = defineMethod({ ...common, name: 'prompts/get', nameParam: 'name', mayAsk: true })
export const promptsListChanged = defineMethod({
  name: 'notifications/prompts/list_changed',
  kind: 'notification',
  from: 'server',
  feature: 'prompts',
  capability: 'prompts.listChanged',
})
