import type { JsonObject } from '../jsonrpc/frame.ts'
import { without } from '../jsonrpc/members.ts'
import type { Delta } from './revision.ts'
import { changeMember, mapMember, onCapabilities } from './steps.ts'
import { withText } from './structured-output.ts'

/** Batches; no elicitation, no structured output, no resource links. */
export const r20250326: Delta<'2025-03-26'> = {
  name: '2025-03-26',
  traits: { batching: true, versionHeader: 'none', completionContext: false },
  removes: ['elicitation/create'],
  down: {
    params: {
      initialize: onCapabilities(withoutElicitation),
    },
    results: {
      'tools/list': (result) => mapMember(result, 'tools', (tool) => without(tool, ['outputSchema'])),
      'tools/call': toPlainOutput,
      'prompts/get': (result) => mapMember(result, 'messages', toPlainMessage),
    },
  },
  up: {
    params: {
      initialize: onCapabilities(withoutElicitation),
    },
  },
}

function withoutElicitation(capabilities: JsonObject): JsonObject {
  return without(capabilities, ['elicitation'])
}

function toPlainOutput(result: JsonObject): JsonObject {
  const linked = mapMember(result, 'content', toPlainContent)
  if (!Object.hasOwn(linked, 'structuredContent')) return linked
  return without(withText(linked, linked.structuredContent), ['structuredContent'])
}

function toPlainMessage(message: JsonObject): JsonObject {
  return changeMember(message, 'content', toPlainContent)
}

/** A link becomes a line of text that says the same. */
function toPlainContent(block: JsonObject): JsonObject {
  if (block.type !== 'resource_link') return block
  const name = typeof block.name === 'string' ? `${block.name}: ` : ''
  const text = { type: 'text', text: `${name}${String(block.uri)}` }
  return block.annotations === undefined ? text : { ...text, annotations: block.annotations }
}
