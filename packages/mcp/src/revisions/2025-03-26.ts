import type { JsonObject } from '../jsonrpc/frame.ts'
import type { Delta } from './revision.ts'
import { isObject, mapMember, without } from './steps.ts'

/** Batches; no elicitation, no structured output, no resource links. */
export const r20250326: Delta = {
  name: '2025-03-26',
  traits: { batching: true, versionHeader: 'none' },
  removes: ['elicitation/create'],
  down: {
    results: {
      'tools/list': (result) => mapMember(result, 'tools', (tool) => without(tool, ['outputSchema'])),
      'tools/call': toPlainOutput,
      'prompts/get': (result) => mapMember(result, 'messages', toPlainMessage),
    },
  },
}

function toPlainOutput(result: JsonObject): JsonObject {
  const linked = mapMember(result, 'content', toPlainContent)
  if (!Object.hasOwn(linked, 'structuredContent')) return linked
  const content = Array.isArray(linked.content) ? linked.content : []
  const bare = without(linked, ['structuredContent'])
  const hasText = content.some((block) => isObject(block) && block.type === 'text')
  return hasText
    ? bare
    : { ...bare, content: [...content, { type: 'text', text: JSON.stringify(linked.structuredContent) }] }
}

function toPlainMessage(message: JsonObject): JsonObject {
  const content = isObject(message.content) ? toPlainContent(message.content) : message.content
  return content === message.content ? message : { ...message, content }
}

/** A link becomes a line of text that says the same. */
function toPlainContent(block: JsonObject): JsonObject {
  if (block.type !== 'resource_link') return block
  const name = typeof block.name === 'string' ? `${block.name}: ` : ''
  return {
    type: 'text',
    text: `${name}${String(block.uri)}`,
    ...(block.annotations === undefined ? {} : { annotations: block.annotations }),
  }
}
