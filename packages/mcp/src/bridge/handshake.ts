import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'
import type { Served } from '../peer/served.ts'
import { type Call, type Downstream, NO_INTERIM, type Principal } from '../protocol/call.ts'
import { cancellationOf } from '../protocol/cancellation.ts'
import type { ClientCapabilities, Implementation, ServerCapabilities } from '../protocol/capabilities.ts'
import { findRevision } from '../revisions/index.ts'
import type { Revision } from '../revisions/revision.ts'
import { withTaskList } from './tasks.ts'

/** What `initialize` settled: it opens a session, and is the answer to the client. */
export interface Handshake {
  readonly revision: Revision
  readonly downstream: Downstream
  /** Ours, in the newest words; the result says them in the client's. */
  readonly capabilities: ServerCapabilities
  readonly result: JsonObject
}

/**
 * Answers `initialize` from the handle's `server/discover`. The version is the one asked for, or else our newest
 * with a handshake: never one whose requests carry their own envelope.
 * @param session the id of the session to be, where the transport has such
 */
export async function shakeHands(
  served: Served,
  params: JsonObject,
  principal: Principal,
  session: string | undefined,
  signal: AbortSignal,
): Promise<Handshake> {
  const asked = parseAsked(params)
  const found = findRevision(asked.version)
  const isOffered = found !== undefined && served.handshakes.includes(found)
  const revision = isOffered ? found : served.handshakes[0]
  const codec = revision?.methods.get('initialize')
  if (revision === undefined || codec === undefined) {
    throw new McpError('caller.unknown_method', 'Cannot initialize: no handshake is spoken')
  }
  const downstream: Downstream = Object.freeze({
    revision: revision.name,
    client: asked.client,
    capabilities: toCapabilities(codec.upParams({ capabilities: asked.capabilities })),
    session,
  })
  const call = toDiscoverCall(principal, downstream, signal)
  const discovered = await served.handle(call)
  const offered = toCapabilities(discovered)
  const capabilities = revision.traits.tasks === 'core' ? await withTaskList(served.handle, call, offered) : offered
  const { instructions } = discovered
  served.introduce()
  const result = codec.downResult({
    // An older spelling of a version is answered as it was asked, since that client knows no other.
    protocolVersion: isOffered ? asked.version : revision.name,
    capabilities,
    serverInfo: served.serverInfo,
    ...(typeof instructions === 'string' ? { instructions } : {}),
  })
  return { revision, downstream, capabilities, result }
}

function toDiscoverCall(principal: Principal, downstream: Downstream, signal: AbortSignal): Call {
  return {
    method: 'server/discover',
    params: {},
    meta: {},
    principal,
    downstream,
    cancellation: cancellationOf(signal),
    deadline: undefined,
    trace: undefined,
    interim: NO_INTERIM,
  }
}

/** Lenient where nothing hangs on it: real clients leave out who they are. */
function parseAsked(params: JsonObject): {
  readonly version: string
  readonly capabilities: ClientCapabilities
  readonly client: Implementation | undefined
} {
  const { protocolVersion, capabilities, clientInfo } = params
  if (typeof protocolVersion !== 'string') {
    throw new McpError('caller.invalid_params', 'Cannot initialize without "protocolVersion", a string')
  }
  // Kept as long as the session lives, and anybody may open one.
  if (JSON.stringify([capabilities, clientInfo]).length > MAX_KEPT) {
    const message = `Cannot initialize: "capabilities" and "clientInfo" have more than ${MAX_KEPT} characters together`
    throw new McpError('caller.invalid_params', message)
  }
  if (capabilities !== undefined && !isObject(capabilities)) {
    throw new McpError('caller.invalid_params', 'Cannot initialize: "capabilities" is not an object')
  }
  return {
    version: protocolVersion,
    capabilities: capabilities ?? {},
    client: isImplementation(clientInfo) ? clientInfo : undefined,
  }
}

/** The member `capabilities`; what has the wrong shape counts as nothing. */
function toCapabilities({ capabilities }: JsonObject): JsonObject {
  return isObject(capabilities) ? capabilities : {}
}

function isImplementation(value: unknown): value is Implementation {
  return isObject(value) && typeof value.name === 'string' && typeof value.version === 'string'
}

/** Characters of what a client says of itself. Icons may be in it. */
const MAX_KEPT = 64 * 1024
