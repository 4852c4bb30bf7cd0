import { McpError } from '../errors.ts'
import type { JsonObject, RequestFrame } from '../jsonrpc/frame.ts'
import type { Principal } from '../protocol/call.ts'
import { checkEnvelope, PROTOCOL_VERSION, parseEnvelope } from '../protocol/envelope.ts'
import type { MethodDescriptor } from '../protocol/method.ts'
import type { Revision } from '../revisions/revision.ts'
import { unknownMethod } from './membership.ts'
import { OpenCall, type Way } from './open-call.ts'
import type { Served } from './served.ts'

/** The version a request names in its envelope: read before anything else about it is believed. */
export function parseNamedVersion(params: JsonObject): string {
  // The caller has seen that the key is there; its value may still be anything.
  const version = (params._meta as JsonObject | undefined)?.[PROTOCOL_VERSION]
  if (typeof version === 'string') return version
  throw new McpError('caller.invalid_envelope', `Cannot read "_meta" key "${PROTOCOL_VERSION}": it is not a string`)
}

/**
 * Opens the call of a request that carries its own envelope.
 * @param check what the transport has to say once the envelope is known to be whole; it may throw
 */
export function openEnveloped(
  served: Served,
  revision: Revision,
  frame: RequestFrame,
  principal: Principal,
  way: Way,
  check?: (descriptor: MethodDescriptor | undefined) => void,
): OpenCall {
  const envelope = parseEnvelope(frame.params)
  checkEnvelope(envelope)
  const codec = revision.methods.get(frame.method)
  check?.(codec?.descriptor)
  if (codec === undefined || codec.descriptor.kind !== 'request') throw unknownMethod(frame.method, revision)
  const downstream = {
    revision: revision.name,
    client: envelope.client,
    capabilities: envelope.capabilities ?? NO_CAPABILITIES,
    session: undefined,
  }
  const caller = { revision, principal, downstream, logLevel: envelope.logLevel }
  return new OpenCall(served, caller, codec, frame, envelope, way)
}

const NO_CAPABILITIES = Object.freeze({})
