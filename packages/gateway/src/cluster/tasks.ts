import { type Handle, type ListenFilter, McpError, nodeOfTask } from '@crosspoint/mcp'
import type { Cluster } from './cluster.ts'

/** Brings what is asked of a task to the gateway that knows it. */
export function handOnTasks(handle: Handle, cluster: Cluster, view: string | undefined): Handle {
  return (call) => {
    const node = TASK_METHODS.has(call.method) ? nodeOfTask(call.params.taskId) : undefined
    return node === undefined || node === cluster.node ? handle(call) : cluster.call(node, view, call)
  }
}

/** The same for who watches one: a task of another gateway is asked for, and does not tell by itself. */
export function watchTasks(handle: Handle, cluster: Cluster, view: string | undefined): Handle {
  const reaching = handOnTasks(handle, cluster, view)
  return (call) => {
    const { taskIds } = (call.params.notifications ?? {}) as ListenFilter // whoever watches wrote it
    const node = nodeOfTask(taskIds?.[0])
    if (node === undefined || node === cluster.node) return reaching(call)
    return Promise.reject(new McpError('caller.unsupported_feature', 'The gateway that knows the task is asked for it'))
  }
}

const TASK_METHODS: ReadonlySet<string> = new Set(['tasks/get', 'tasks/update', 'tasks/cancel'])
