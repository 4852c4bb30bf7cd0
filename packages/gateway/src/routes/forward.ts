import type { Result } from '@crosspoint/mcp'
import type { Passage, Route } from './passage.ts'
import { toPublicUris } from './public-uris.ts'

/** Sends a routed call to its server, and makes the answer mean the same here as there. */
export async function forward(call: Passage, { destination, params }: Route): Promise<Result> {
  const { method, meta, principal, downstream, signal, deadline, trace, interim, view } = call
  const result = await destination.handle({
    method,
    params,
    meta,
    principal,
    downstream,
    signal,
    deadline,
    trace,
    interim,
  })
  return toPublicUris(method, result, destination, view.book)
}
