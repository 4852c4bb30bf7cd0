import { type Result, withoutTaskWish } from '@crosspoint/mcp'
import type { TaskDesk } from '@crosspoint/mcp/server'
import { type ForwardNeeds, forward } from './forward.ts'
import { Passage, type Route } from './passage.ts'

/**
 * A call that its caller wants to be a task and its server would make none of, made a task here: for callers of a revision
 * in which they decide, and servers of one in which those do, or in which there are no tasks.
 */
export function beginOwnTask(desk: TaskDesk, passage: Passage, route: Route, needs: ForwardNeeds): Promise<Result> {
  const { destination } = route
  // Its time is not that of a call where the server makes a task of it.
  const { name, peer, hold: handle = destination.handle } = destination
  const patient = { ...route, destination: { name, handle, ...(peer === undefined ? {} : { peer }) } }
  return desk.begin(passage, (call) => {
    const { downstream } = call
    const plain = { ...downstream, capabilities: withoutTaskWish(downstream.capabilities) }
    return forward(new Passage({ ...call, downstream: plain }, passage.view), patient, needs)
  })
}
