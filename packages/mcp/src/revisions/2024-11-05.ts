import type { JsonObject } from '../jsonrpc/frame.ts'
import type { Delta } from './revision.ts'
import { isObject, mapMember, without } from './steps.ts'

/** The first revision: HTTP+SSE, no audio, progress without words. `2024-10-07` was its pre-release name. */
export const r20241105: Delta = {
  name: '2024-11-05',
  aliases: ['2024-10-07'],
  traits: { http: 'sse', sessions: false, batching: false, resumable: false },
  down: {
    results: {
      'tools/call': (result) => mapMember(result, 'content', toSilentContent),
      'prompts/get': (result) => mapMember(result, 'messages', toSilentMessage),
    },
    params: {
      'notifications/progress': (params) => without(params, ['message']),
    },
  },
}

function toSilentMessage(message: JsonObject): JsonObject {
  const content = isObject(message.content) ? toSilentContent(message.content) : message.content
  return content === message.content ? message : { ...message, content }
}

/** Audio travels as an embedded resource: the bytes arrive, and a client that knows the type can play them. */
function toSilentContent(block: JsonObject): JsonObject {
  if (block.type !== 'audio') return block
  const resource = { uri: AUDIO_URI, mimeType: block.mimeType, blob: block.data }
  return { type: 'resource', resource, ...(block.annotations === undefined ? {} : { annotations: block.annotations }) }
}

const AUDIO_URI = 'crosspoint:audio'
