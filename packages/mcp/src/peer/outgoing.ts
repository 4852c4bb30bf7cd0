import { type JsonObject, NO_PARAMS } from '../jsonrpc/frame.ts'
import { type Interim, NO_INTERIM } from '../protocol/call.ts'
import { type Cancellation, CancellationSource, cancellationOf } from '../protocol/cancellation.ts'
import type { Outgoing } from '../protocol/envelope.ts'

/** The way back of requests a connection makes for itself: opening, log level, subscriptions. */
export const HOP: Interim = Object.freeze({ ...NO_INTERIM })

const NEVER: Cancellation = new CancellationSource()

/** A request of the connection itself. It belongs to no caller, and what it causes is nobody's to answer. */
export function toOutgoing(method: string, params: JsonObject, signal?: AbortSignal): Outgoing {
  const cancellation = signal === undefined ? NEVER : cancellationOf(signal)
  return { method, params, meta: NO_PARAMS, cancellation, deadline: undefined, trace: undefined, interim: HOP }
}
