import type { JsonObject } from '../jsonrpc/frame.ts'
import { without } from '../jsonrpc/members.ts'
import type { Delta } from './revision.ts'
import { checkSilent } from './sampling.ts'
import { changeMember, mapMember } from './steps.ts'

/** The first revision: HTTP+SSE, no audio, progress without words. `2024-10-07` was its pre-release name. */
export const r20241105: Delta<'2024-11-05'> = {
  name: '2024-11-05',
  aliases: ['2024-10-07'],
  traits: { http: 'sse', sessions: false, batching: false, resumable: false },
  // It has completion and no capability to say so: who has it not will answer that it has not.
  needs: { 'completion/complete': undefined },
  down: {
    params: {
      'notifications/progress': (params) => without(params, ['message']),
      'sampling/createMessage': checkSilent,
    },
    results: {
      'tools/call': (result) => mapMember(result, 'content', toSilentContent),
      'prompts/get': (result) => mapMember(result, 'messages', toSilentMessage),
      'sampling/createMessage': checkSilent,
    },
  },
}

function toSilentMessage(message: JsonObject, index: number): JsonObject {
  return changeMember(message, 'content', (content) => toSilentContent(content, index))
}

/** Audio travels as an embedded resource: the bytes arrive, and a client that knows the type can play them. */
function toSilentContent(block: JsonObject, index: number): JsonObject {
  if (block.type !== 'audio') return block
  const resource = { uri: `crosspoint:audio/${index}`, mimeType: block.mimeType, blob: block.data }
  const embedded = { type: 'resource', resource }
  return block.annotations === undefined ? embedded : { ...embedded, annotations: block.annotations }
}
