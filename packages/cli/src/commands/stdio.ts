import type { Gateway } from '@crosspoint/gateway'
import { type Call, type ClientCapabilities, findRevision, type Handle } from '@crosspoint/mcp'
import { type Endpoint, serveStdio } from '@crosspoint/mcp/transports'
import type { ExitKind } from '../exit.ts'
import type { Io } from '../io.ts'
import type { DoorOptions } from '../options.ts'
import { createServing } from '../serving.ts'

/** One MCP server on standard input and output: the protocol and nothing else on standard output. */
export async function stdio(io: Io, options: DoorOptions): Promise<ExitKind> {
  const serving = await createServing(io, options, [])
  const { gateway } = serving
  try {
    const endpoint = gateway.endpoint(options.view)
    if (endpoint === undefined) throw new Error('A gateway without its own view') // createServing checked it
    // A pipe is of whoever started us: who that is stays the same until it ends.
    const served = serveStdio(forOne(endpoint, gateway), { principal: gateway.identity.local })
    await Promise.race([served.closed, serving.stopped])
    await served.close()
  } finally {
    await serving.close()
  }
  return 'ok'
}

/**
 * There is one client: servers are started once it says what it can do, and told just that. Clients that never ask again
 * see at once what there is; servers that take longer are announced later.
 */
function forOne(endpoint: Endpoint, gateway: Gateway): Endpoint {
  let started: Promise<void> | undefined
  const handle: Handle = async (call) => {
    started ??= gateway.start({ soleCaller: toDeclared(call.downstream) })
    await started
    return endpoint.handle(call)
  }
  // The rest of the endpoint stays as it is, whatever a reload makes of it.
  return Object.create(endpoint, { handle: { value: handle } }) as Endpoint
}

/** A client that has a word for it says when its roots are others, which its capabilities do not say in the newest words. */
function toDeclared({ revision, capabilities }: Call['downstream']): ClientCapabilities {
  const isTold = findRevision(revision)?.methods.has('notifications/roots/list_changed') === true
  if (capabilities.roots === undefined || !isTold) return capabilities
  return { ...capabilities, roots: { ...capabilities.roots, listChanged: true } }
}
