import type { Result } from '@crosspoint/mcp'
import type { Passage, Route } from './passage.ts'
import { toPublicUris } from './public-uris.ts'

/**
 * Sends a routed call to its server, and makes the answer mean the same here as there. The caller's own deadline
 * stays behind: its edge keeps it and cancels; what the server may take is counted by its connection.
 */
export async function forward(call: Passage, { destination, params }: Route): Promise<Result> {
  const { method, meta, principal, downstream, cancellation, trace, interim, view } = call
  const result = await destination.handle({
    method,
    params,
    meta,
    principal,
    downstream,
    cancellation,
    deadline: undefined,
    trace,
    interim,
  })
  return toPublicUris(method, result, destination, view.book)
}
