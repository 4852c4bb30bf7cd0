import type { Call, Clock, Result, Trace } from '@crosspoint/mcp'
import type { Hop } from '../catalog/hop.ts'
import { toOnwardMeta } from '../telemetry/propagation.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { tell } from './failures.ts'
import { PacedInterim } from './paced.ts'
import type { Passage, Route } from './passage.ts'
import { toPublicUris } from './public-uris.ts'

export interface ForwardNeeds {
  /** This gateway among others that a call may pass. */
  readonly hop: Hop
  readonly clock: Clock
  /** What is told of what is sent. Default: nothing. */
  readonly telemetry?: Pick<Telemetry, 'send' | 'passesBaggage'>
}

/**
 * Sends a routed call to its server, and makes the answer mean the same here as there. The caller's own deadline
 * stays behind: its edge keeps it and cancels; what the server may take is counted by its connection.
 */
export async function forward(call: Passage, route: Route, { hop, clock, telemetry }: ForwardNeeds): Promise<Result> {
  const { destination, params } = route
  const { method, principal, downstream, cancellation, trace, interim, view } = call
  // Nearly every call is quiet.
  const paced = interim.progress || interim.logLevel !== undefined ? new PacedInterim(interim, clock) : undefined
  let result: Result
  try {
    const meta = toOnwardMeta(hop.toMeta(call, destination.name), telemetry?.passesBaggage === true)
    const toCall = (trace: Trace | undefined): Call => ({
      method,
      params,
      meta,
      principal,
      downstream,
      cancellation,
      deadline: undefined,
      trace,
      interim: paced ?? interim,
    })
    result = await (telemetry === undefined ? destination.handle(toCall(trace)) : telemetry.send(call, route, toCall))
  } catch (error) {
    return tell(error, call, route)
  } finally {
    paced?.flush()
  }
  return toPublicUris(method, result, destination, view.book)
}
