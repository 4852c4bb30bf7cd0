import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'
import { findToolFault } from '../protocol/features/tool-results.ts'

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
  const fault = findToolFault(messages)
  if (fault !== undefined) throw invalid(fault)
}

function invalid(why: string): McpError {
  return new McpError('caller.invalid_params', `Cannot answer "sampling/createMessage": ${why}`)
}
