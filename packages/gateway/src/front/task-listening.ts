import {
  type Call,
  CancellationSource,
  type Clock,
  type DetailedTask,
  type Handle,
  McpError,
  watchTask,
} from '@crosspoint/mcp'

/** What a listener hears of tasks, whose servers may be of any revision: all are watched in the way each of them can. */
export interface TaskListening {
  /** Of the tasks asked for, those that there are. */
  readonly taskIds: readonly string[]
  /** Tells of each as it is, and whenever it changes. */
  begin(): void
  end(): void
}

export interface TaskListeningOptions {
  readonly clock: Clock
  /** Answers for tasks by the ids callers know them by. */
  readonly handle: Handle
  /** Most tasks of one listener. */
  readonly max: number
}

/** @throws {McpError} for what is no list of ids, or names too many */
export async function listenToTasks(call: Call, asked: unknown, options: TaskListeningOptions): Promise<TaskListening> {
  const ids = parseIds(asked, options.max)
  const stop = new CancellationSource()
  const of = { ...call, cancellation: stop, deadline: undefined }
  const watched = await Promise.all(ids.map((id) => watch(of, id, options)))
  const found = watched.filter((one) => one !== undefined)
  return {
    taskIds: found.map(({ id }) => id),
    begin() {
      for (const { first, rest } of found) void tell(call, first, rest)
    },
    end: () => stop.cancel(new McpError('caller.cancelled', 'Nobody listens any more')),
  }
}

interface Watched {
  readonly id: string
  readonly first: DetailedTask
  readonly rest: AsyncGenerator<DetailedTask, void>
}

/** Undefined where there is no such task for this caller. */
async function watch(of: Call, id: string, { handle, clock }: TaskListeningOptions): Promise<Watched | undefined> {
  const rest = watchTask(handle, of, id, clock)
  try {
    const { value } = await rest.next()
    return value === undefined ? undefined : { id, first: value, rest }
  } catch {
    return undefined // which shows in what is acknowledged
  }
}

async function tell({ interim }: Call, first: DetailedTask, rest: Watched['rest']): Promise<void> {
  const notify = (task: DetailedTask) => interim.notify({ method: 'notifications/tasks', params: toTold(task) })
  notify(first)
  try {
    for await (const task of rest) notify(task)
  } catch {
    // Nobody listens any more, or the server is gone: who asks for the task is told.
  }
}

/** Without what belongs to the message it came in. */
function toTold({ resultType: _, _meta: __, ...task }: DetailedTask): DetailedTask {
  return task as DetailedTask // all that makes it one is still there
}

function parseIds(asked: unknown, max: number): readonly string[] {
  if (!Array.isArray(asked) || !asked.every((id) => typeof id === 'string')) {
    throw new McpError('caller.invalid_params', 'Cannot listen: "taskIds" is not a list of task ids')
  }
  if (asked.length > max) {
    throw new McpError('policy.limit', `Cannot listen to ${asked.length} tasks at once; at most ${max} work`)
  }
  return [...new Set(asked)]
}
