import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from './opened.ts'

/**
 * Reads a request for sampling (2025-11-25 client/sampling: tool use): tools only where they were declared, a message
 * with results of tools holds nothing else, and every use of a tool is answered by the message that follows.
 * @throws {McpError} `caller.invalid_params`
 */
export function checkSampleRequest(params: JsonObject, mayUseTools: boolean): void {
  const { messages, maxTokens, tools, toolChoice } = params
  if (!Array.isArray(messages) || !messages.every(isObject)) throw invalid('"messages" is not a list of messages')
  if (typeof maxTokens !== 'number') throw invalid('"maxTokens" is not a number')
  if (!mayUseTools && (tools !== undefined || toolChoice !== undefined)) {
    throw invalid('this client did not declare that its model may use tools')
  }
  let open: ReadonlySet<unknown> = new Set()
  for (const message of messages) {
    const blocks = toBlocks(message)
    checkResults(blocks, open)
    open = new Set(blocks.filter(({ type }) => type === 'tool_use').map(({ id }) => id))
  }
  if (open.size > 0) throw invalid('a use of a tool has no result')
}

function checkResults(blocks: readonly JsonObject[], open: ReadonlySet<unknown>): void {
  const results = blocks.filter(({ type }) => type === 'tool_result')
  if (results.length > 0 && results.length < blocks.length) {
    throw invalid('a message with results of tools holds something else besides')
  }
  const answered = new Set(results.map(({ toolUseId }) => toolUseId))
  if (answered.size !== open.size || [...open].some((id) => !answered.has(id))) {
    throw invalid('the results of tools are not those of the message before')
  }
}

function toBlocks({ content }: JsonObject): readonly JsonObject[] {
  return (Array.isArray(content) ? content : [content]).filter(isObject)
}

function invalid(why: string): McpError {
  return new McpError('caller.invalid_params', `Cannot answer "sampling/createMessage": ${why}`)
}
