import { McpError } from '../../errors.ts'
import type { Call, Meta } from '../../protocol/call.ts'

/**
 * Which servers with mounts a call came through, in `_meta`: it travels with the call from process to process, so that
 * servers that mount each other notice it wherever they run.
 */
export const TRAIL = 'crosspoint/trail'

/**
 * The trail of a call that leaves this server.
 * @param id of this server
 * @throws {McpError} `upstream.protocol` where the call has been here before, or in eight servers already
 */
export function toTrail(call: Pick<Call, 'method' | 'meta'>, id: string): readonly string[] {
  const given = call.meta[TRAIL]
  const trail = Array.isArray(given) ? given.filter((hop): hop is string => typeof hop === 'string') : []
  if (trail.includes(id)) {
    throw new McpError('upstream.protocol', `Cannot go on with "${call.method}": servers mount each other in a circle`)
  }
  if (trail.length >= MAX_HOPS) {
    const message = `Cannot go on with "${call.method}": it went through ${MAX_HOPS} servers with mounts, which is the most`
    throw new McpError('upstream.protocol', message)
  }
  return [...trail, id]
}

export function withTrail(meta: Meta, trail: readonly string[]): Meta {
  return { ...meta, [TRAIL]: trail }
}

const MAX_HOPS = 8
