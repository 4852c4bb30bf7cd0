import { ANONYMOUS, type Call, type Downstream, NO_INTERIM } from '../../protocol/call.ts'
import { CancellationSource } from '../../protocol/cancellation.ts'
import { withoutTaskWish } from '../../protocol/features/tasks.ts'
import { withTrail } from '../../protocol/trail.ts'
import { NEWEST } from '../../revisions/index.ts'

/** A list asked for by us, on behalf of a caller. */
export function toOwnCall(call: Call, trail: readonly string[]): Call {
  return {
    ...call,
    meta: withTrail({}, trail),
    downstream: withoutTasks(call.downstream),
    deadline: undefined,
    interim: NO_INTERIM,
  }
}

/** Tasks stay behind where a call is handed on: their ids would lead nowhere here. */
export function withoutTasks(downstream: Downstream): Downstream {
  const capabilities = withoutTaskWish(downstream.capabilities)
  return capabilities === downstream.capabilities ? downstream : { ...downstream, capabilities }
}

/** A call of our own, on nobody's behalf. */
export const OWN_CALL: Call = Object.freeze({
  method: '',
  params: {},
  meta: {},
  principal: ANONYMOUS,
  downstream: { revision: NEWEST.name, client: undefined, capabilities: {}, session: undefined },
  cancellation: new CancellationSource(),
  deadline: undefined,
  trace: undefined,
  interim: NO_INTERIM,
})
