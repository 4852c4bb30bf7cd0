import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject, without } from '../jsonrpc/members.ts'

/**
 * Sampling toward revisions in which a message holds exactly one block and knows no tools. Several blocks of one
 * speaker become several messages of that speaker, in order.
 */
export function toSingleBlocks(params: JsonObject): JsonObject {
  if (Array.isArray(params.tools) && params.tools.length > 0) throw cannotUseTools()
  const bare = without(params, ['tools', 'toolChoice'])
  if (!Array.isArray(bare.messages)) return bare
  for (const message of bare.messages) if (usesTools(message)) throw cannotUseTools()
  if (!bare.messages.some(hasSeveralBlocks)) return bare
  return { ...bare, messages: bare.messages.flatMap(toMessages) }
}

/** The model's answer toward a server that expects one block. Text in several blocks is one text. */
export function toOneBlock(result: JsonObject): JsonObject {
  if (usesTools(result))
    throw new McpError('upstream.protocol', 'Cannot pass on an answer of the model that uses tools')
  const { content } = result
  if (!Array.isArray(content)) return result
  const [first] = content
  if (content.length === 1) return { ...result, content: first }
  const texts = content.map((block) => (isObject(block) && block.type === 'text' ? block.text : undefined))
  if (!texts.every((text) => typeof text === 'string')) {
    throw new McpError('upstream.protocol', 'Cannot pass on an answer of the model that mixes several kinds of content')
  }
  return { ...result, content: { type: 'text', text: texts.join('\n') } }
}

/** Sampling toward the revision that knows only text and images. */
export function checkSilent(value: JsonObject): JsonObject {
  const messages: readonly unknown[] = Array.isArray(value.messages) ? value.messages : [value]
  for (const message of messages) {
    if (isObject(message) && isObject(message.content) && message.content.type === 'audio') {
      throw Array.isArray(value.messages)
        ? new McpError('caller.missing_capability', 'Cannot ask the model of this client: its revision has no audio')
        : new McpError('upstream.protocol', 'Cannot pass on an answer of the model: the server knows no audio')
    }
  }
  return value
}

function toMessages(message: unknown): readonly unknown[] {
  if (!isObject(message) || !Array.isArray(message.content)) return [message]
  return message.content.map((content: unknown) => ({ ...message, content }))
}

function hasSeveralBlocks(message: unknown): boolean {
  return isObject(message) && Array.isArray(message.content)
}

function usesTools(message: unknown): boolean {
  if (!isObject(message)) return false
  const blocks: readonly unknown[] = Array.isArray(message.content) ? message.content : [message.content]
  return blocks.some((block) => isObject(block) && (block.type === 'tool_use' || block.type === 'tool_result'))
}

function cannotUseTools(): McpError {
  return new McpError(
    'caller.missing_capability',
    'Cannot ask the model of this client to use tools: its revision has none',
    {
      data: { requiredCapabilities: { sampling: { tools: {} } } },
    },
  )
}
