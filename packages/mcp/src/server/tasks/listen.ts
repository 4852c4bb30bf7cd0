import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Call, Result } from '../../protocol/call.ts'
import type { DetailedTask } from '../../protocol/features/tasks.ts'
import type { Tasks } from './tasks.ts'

/** A listen that may name tasks: finds those the caller may hear of before anything is acknowledged. */
export async function listenWithTasks(
  tasks: Tasks,
  maxWatched: number,
  call: Call,
  listen: (tasks: readonly DetailedTask[]) => Promise<Result>,
): Promise<Result> {
  const { notifications } = call.params
  const ids = (notifications as JsonObject | null | undefined)?.taskIds // whatever else it is, the listen itself refuses
  if (ids === undefined) return listen([])
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string')) {
    throw new McpError('caller.invalid_params', 'Cannot listen: "taskIds" is not a list of task ids')
  }
  if (ids.length > maxWatched) {
    throw new McpError('policy.limit', `Cannot listen to ${ids.length} tasks at once; at most ${maxWatched} work`)
  }
  return listen(await tasks.heardBy(call, [...new Set(ids)]))
}
