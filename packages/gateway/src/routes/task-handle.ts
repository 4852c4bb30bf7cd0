import { type Handle, type ListenFilter, taskTagOf } from '@crosspoint/mcp'
import type { Passage } from './passage.ts'
import { toPublicUris } from './public-uris.ts'
import { checkTasksDeclared } from './resolve.ts'

/**
 * Answers what is asked and heard of tasks on behalf of a listener, whoever has them.
 * @param own answers for those that were begun here
 * @throws {McpError} `caller.missing_capability` where the listener declared no tasks
 */
export function toTaskHandle({ method, downstream, view }: Passage, own: Handle): Handle {
  checkTasksDeclared(method, downstream)
  return async (call) => {
    const { notifications, taskId } = call.params
    const [listened] = (notifications as ListenFilter | undefined)?.taskIds ?? []
    const tag = taskTagOf(taskId ?? listened)
    const destination = tag === undefined ? undefined : view.taskHolders.get(tag)
    if (destination === undefined) return own(call)
    return toPublicUris(call.method, await destination.handle(call), destination, view.book)
  }
}
