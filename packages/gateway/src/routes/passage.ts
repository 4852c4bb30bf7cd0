import type {
  Call,
  Cancellation,
  Downstream,
  Interim,
  McpError,
  Meta,
  Origin,
  Params,
  Principal,
  Trace,
} from '@crosspoint/mcp'
import type { Destination, Entry } from '../catalog/catalog.ts'
import type { View } from '../catalog/view.ts'
import type { Decision } from '../policy/decision.ts'
import type { Grant } from '../policy/permit.ts'
import type { Caller } from '../policy/view-policy.ts'

/** Who calls and what of the endpoint is theirs to use, where there are rules of that. */
export interface Permitted {
  readonly caller: Caller
  readonly grant: Grant
}

/** Where a call goes, in the words of the server that will answer it. */
export interface Route {
  readonly destination: Destination
  readonly params: Params
  /** Its caller wants a task and the server would make none of it: it becomes one here. */
  readonly asOwnTask?: true
}

/**
 * A call on its way through the gateway: made once, with places that are filled on the way. A station writes only
 * the place named after it; everything else of a call is as its edge made it.
 */
export class Passage implements Call {
  readonly method: string
  readonly params: Params
  readonly meta: Meta
  readonly principal: Principal
  readonly downstream: Downstream
  readonly cancellation: Cancellation
  readonly deadline: number | undefined
  readonly id: Call['id']
  readonly origin: Origin | undefined
  /** Replaced by a place that has to know what goes over it. */
  interim: Interim
  /** What the endpoint offered when the call came: the whole passage sees one moment. */
  readonly view: View
  /** Undefined where everybody may use everything. */
  readonly permitted: Permitted | undefined
  /** Written by `trace`. */
  trace: Trace | undefined
  /** Written by `route`; stays undefined for what the gateway answers itself. */
  route: Route | undefined
  /** Written by `route`: whose tool it was, where several servers offer it. */
  via: Entry | undefined
  /** Written by the place that refuses a call and tells a model so by a result: the outcome is this. */
  refusal: McpError | undefined
  /** Written by `cache`: its answer was given before. */
  isFromCache: boolean
  /** Written by `authorize`, and by `route` where what was asked for is hidden; undefined where there are no rules. */
  decision: Decision | undefined

  constructor(call: Call, view: View, permitted?: Permitted) {
    this.method = call.method
    this.params = call.params
    this.meta = call.meta
    this.principal = call.principal
    this.downstream = call.downstream
    this.cancellation = call.cancellation
    this.deadline = call.deadline
    this.id = call.id
    this.origin = call.origin
    this.interim = call.interim
    this.view = view
    this.permitted = permitted
    this.trace = call.trace
    this.route = undefined
    this.via = undefined
    this.refusal = undefined
    this.isFromCache = false
    this.decision = undefined
  }
}
