import { noTask } from '../../bridge/crossing/task-ids.ts'
import { type Clock, systemClock } from '../../peer/clock.ts'
import type { Call, Handle, Result } from '../../protocol/call.ts'
import type { EndpointEvent } from '../../transports/endpoint.ts'
import { type TaskOptions, toTaskSettings } from './settings.ts'
import { Tasks } from './tasks.ts'

export interface TaskDeskOptions extends TaskOptions {
  readonly clock?: Clock
  readonly log?: (event: EndpointEvent) => void
  /** What this process is called where several serve the same callers: stands in the ids. Default: it does not. */
  readonly node?: string
}

/**
 * Makes tasks of calls, whoever answers them: for what stands between callers who want a task and a server that makes
 * none of the call.
 */
export interface TaskDesk {
  /**
   * Answers with a task once it is kept; `work` goes on by itself, with a call that is asked through the task.
   * @throws {McpError} `policy.limit` where too many are kept
   */
  begin(call: Call, work: Handle): Promise<Result>
  /** Answers `tasks/get`, `tasks/update` and `tasks/cancel` for the tasks begun here, each to its own caller. */
  readonly handle: Handle
}

export function createTaskDesk({
  clock = systemClock,
  log = () => {},
  node,
  ...options
}: TaskDeskOptions = {}): TaskDesk {
  const tasks = new Tasks({ ...toTaskSettings(options), clock, log, changed: () => {}, node })
  const methods = new Map<string, Handle>([
    ['tasks/get', (call) => tasks.get(call)],
    ['tasks/update', (call) => tasks.update(call)],
    ['tasks/cancel', (call) => tasks.cancel(call)],
  ])
  return {
    begin: (call, work) => tasks.start(call, PLAN, work),
    async handle(call) {
      const answer = methods.get(call.method)
      if (answer === undefined) throw noTask()
      return answer(call)
    },
  }
}

/** As the caller wishes, else as the settings say. */
const PLAN = { ttlMs: undefined, pollIntervalMs: undefined }
