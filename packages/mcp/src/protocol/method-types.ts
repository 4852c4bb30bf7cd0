import type { Call, Result } from './call.ts'
import type { DiscoverResult } from './features/base.ts'
import type { CompleteParams, CompleteResult } from './features/completion.ts'
import type { GetPromptParams, GetPromptResult, ListPromptsResult } from './features/prompts.ts'
import type {
  ListResourcesResult,
  ListResourceTemplatesResult,
  ReadResourceParams,
  ReadResourceResult,
} from './features/resources.ts'
import type { ListenParams } from './features/subscriptions.ts'
import type { CallToolParams, CallToolResult, ListToolsResult } from './features/tools.ts'

/** Methods whose parameters and results have a type of their own. */
export interface MethodTypes {
  'server/discover': { params: Call['params']; result: DiscoverResult }
  'tools/list': { params: { readonly cursor?: string }; result: ListToolsResult }
  'tools/call': { params: CallToolParams; result: CallToolResult }
  'prompts/list': { params: { readonly cursor?: string }; result: ListPromptsResult }
  'prompts/get': { params: GetPromptParams; result: GetPromptResult }
  'resources/list': { params: { readonly cursor?: string }; result: ListResourcesResult }
  'resources/templates/list': { params: { readonly cursor?: string }; result: ListResourceTemplatesResult }
  'resources/read': { params: ReadResourceParams; result: ReadResourceResult }
  'completion/complete': { params: CompleteParams; result: CompleteResult }
  'subscriptions/listen': { params: ListenParams; result: Result }
}
