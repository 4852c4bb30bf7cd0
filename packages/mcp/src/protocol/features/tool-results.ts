import type { JsonObject } from '../../jsonrpc/frame.ts'

/**
 * What is wrong with the uses of tools in messages for sampling (2025-11-25 client/sampling: tool use), as the end of a
 * sentence: a message with results holds nothing else, and every use is answered by the message that follows.
 */
export function findToolFault(messages: readonly JsonObject[]): string | undefined {
  let open: ReadonlySet<unknown> = new Set()
  for (const message of messages) {
    const blocks = toBlocks(message)
    const fault = findResultFault(blocks, open)
    if (fault !== undefined) return fault
    open = new Set(blocks.filter(({ type }) => type === 'tool_use').map(({ id }) => id))
  }
  return open.size > 0 ? 'a use of a tool has no result' : undefined
}

function findResultFault(blocks: readonly JsonObject[], open: ReadonlySet<unknown>): string | undefined {
  const results = blocks.filter(({ type }) => type === 'tool_result')
  if (results.length > 0 && results.length < blocks.length) {
    return 'a message with results of tools holds something else besides'
  }
  const answered = new Set(results.map(({ toolUseId }) => toolUseId))
  if (answered.size === open.size && [...open].every((id) => answered.has(id))) return undefined
  return 'the results of tools are not those of the message before'
}

function toBlocks({ content }: JsonObject): readonly JsonObject[] {
  return (Array.isArray(content) ? content : [content]).filter(
    (block): block is JsonObject => typeof block === 'object' && block !== null,
  )
}
