import type { Bounds } from '../../peer/tally.ts'
import type { TaskRecord } from './record.ts'

export interface TaskBounds {
  /** Most tasks kept in all. */
  readonly maxTasks: number
  /** Most tasks kept of one owner. */
  readonly maxTasksPerOwner: number
  /** Most bytes of them in all, as the records say it themselves. */
  readonly maxBytes: number
  /** Most bytes of those of one owner. */
  readonly maxBytesPerOwner: number
}

/** The place in a list of tasks after which the next page begins. */
export type TaskPlace = Pick<TaskRecord, 'createdAtMs' | 'taskId'>

/**
 * Where tasks are kept. A driver keeps records as they are and decides nothing else; every driver passes the contract
 * of testkit (`task-store`). A promise that resolves means that the change outlives the process, where the driver's
 * place does.
 */
export interface TaskStore {
  /**
   * Keeps a new task.
   * @throws {McpError} `policy.limit` where that would be more than the bounds allow
   */
  create(record: TaskRecord, bounds: TaskBounds): Promise<void>
  find(taskId: string): Promise<TaskRecord | undefined>
  /**
   * Replaces a task, unless the one kept is final or there is none. Says whether it did.
   * @throws {McpError} `policy.limit` where it grew beyond the bounds on bytes: then what was kept stays. One that did
   * not grow is always taken
   */
  save(record: TaskRecord, bounds: TaskBounds): Promise<boolean>
  /** What this worker works on is worked on until then, at least. */
  renew(worker: string, leaseUntilMs: number): Promise<void>
  /** Tasks of an owner in order of creation (of the same moment: of their ids), at most `limit`. */
  list(owner: string, after: TaskPlace | undefined, limit: number): Promise<readonly TaskRecord[]>
  /** Forgets what has expired by then (`expiryOf`). */
  sweep(nowMs: number): Promise<void>
}

export function toBounds({ maxTasks, maxTasksPerOwner, maxBytes, maxBytesPerOwner }: TaskBounds): Bounds {
  return {
    all: { count: maxTasks, bytes: maxBytes },
    perOwner: { count: maxTasksPerOwner, bytes: maxBytesPerOwner },
  }
}
