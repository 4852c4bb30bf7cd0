import { McpError } from '../errors.ts'
import type { JsonObject, RequestFrame } from '../jsonrpc/frame.ts'
import type { Principal } from '../protocol/call.ts'
import { checkEnvelope, PROTOCOL_VERSION, parseEnvelope } from '../protocol/envelope.ts'
import { NEWEST } from '../revisions/index.ts'
import type { MethodCodec, Revision } from '../revisions/revision.ts'
import { unknownMethod } from './membership.ts'
import { OpenCall, type Way } from './open-call.ts'
import { toFailure } from './reply.ts'
import { type Served, unsupportedRevision } from './served.ts'

/** Holds what a transport says beside the body against the body, where the revision has such; throws if they differ. */
export type CheckMirrored<H> = (frame: RequestFrame, codec: MethodCodec | undefined, mirrored: H) => void

/**
 * Opens the call of a request that carries its own envelope. What is wrong with it is answered, and there is no
 * call then. The order of the checks is that of PROTOCOL §6.4, which clients depend on.
 */
export function openEnveloped(served: Served, frame: RequestFrame, principal: Principal, way: Way): OpenCall | undefined
export function openEnveloped<H>(
  served: Served,
  frame: RequestFrame,
  principal: Principal,
  way: Way,
  check: CheckMirrored<H>,
  mirrored: H,
): OpenCall | undefined
export function openEnveloped<H>(
  served: Served,
  frame: RequestFrame,
  principal: Principal,
  way: Way,
  check?: CheckMirrored<H>,
  mirrored?: H,
): OpenCall | undefined {
  let revision: Revision | undefined
  try {
    // The caller has seen that the key is there; its value may still be anything.
    const version = (frame.params._meta as JsonObject | undefined)?.[PROTOCOL_VERSION]
    if (typeof version !== 'string') throw versionNotText()
    revision = served.envelopes.get(version)
    if (revision === undefined) throw unsupportedRevision(served, version)
    const envelope = parseEnvelope(frame.params)
    checkEnvelope(envelope)
    const codec = revision.methods.get(frame.method)
    // The overloads give both or neither.
    if (check !== undefined && revision.traits.standardHeaders) check(frame, codec, mirrored as H)
    if (codec === undefined || codec.descriptor.kind !== 'request') throw unknownMethod(frame.method, revision)
    const downstream = {
      revision: revision.name,
      client: envelope.client,
      capabilities: envelope.capabilities ?? NO_CAPABILITIES,
      session: undefined,
    }
    const caller = { revision, principal, downstream, logLevel: envelope.logLevel }
    return new OpenCall(served, caller, codec, frame, envelope, way)
  } catch (error) {
    way.answer(toFailure(revision ?? NEWEST, frame.method, frame.id, error))
    return undefined
  }
}

function versionNotText(): McpError {
  return new McpError('caller.invalid_envelope', `Cannot read "_meta" key "${PROTOCOL_VERSION}": it is not a string`)
}

const NO_CAPABILITIES = Object.freeze({})
