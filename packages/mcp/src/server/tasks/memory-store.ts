import { McpError } from '../../errors.ts'
import { isFinal } from '../../protocol/features/tasks.ts'
import { expiryOf, type TaskRecord } from './record.ts'
import type { TaskBounds, TaskPlace, TaskStore } from './store.ts'

/** Tasks kept for as long as the process lives. */
export function createMemoryTaskStore(): TaskStore {
  return new MemoryTaskStore()
}

class MemoryTaskStore implements TaskStore {
  readonly #records = new Map<string, TaskRecord>()
  readonly #counts = new Map<string, number>()

  async create(record: TaskRecord, { maxTasks, maxTasksPerOwner }: TaskBounds): Promise<void> {
    const { taskId, owner } = record
    if (this.#records.has(taskId)) throw new McpError('internal.error', 'Cannot keep two tasks of the same id')
    const count = this.#counts.get(owner) ?? 0
    if (this.#records.size >= maxTasks || count >= maxTasksPerOwner) {
      const bound = count >= maxTasksPerOwner ? `${maxTasksPerOwner} of this caller` : `${maxTasks} in all`
      throw new McpError('policy.limit', `Cannot begin another task: ${bound} are kept already`)
    }
    this.#records.set(taskId, record)
    this.#counts.set(owner, count + 1)
  }

  async find(taskId: string): Promise<TaskRecord | undefined> {
    return this.#records.get(taskId)
  }

  async save(record: TaskRecord): Promise<boolean> {
    const kept = this.#records.get(record.taskId)
    if (kept === undefined || isFinal(kept.status)) return false
    // What was renewed meanwhile stays renewed.
    const leaseUntilMs = Math.max(kept.leaseUntilMs, record.leaseUntilMs)
    this.#records.set(record.taskId, { ...record, leaseUntilMs })
    return true
  }

  async renew(worker: string, leaseUntilMs: number): Promise<void> {
    for (const [taskId, record] of this.#records) {
      if (record.worker === worker && !isFinal(record.status)) this.#records.set(taskId, { ...record, leaseUntilMs })
    }
  }

  async list(owner: string, after: TaskPlace | undefined, limit: number): Promise<readonly TaskRecord[]> {
    const own = [...this.#records.values()].filter((record) => record.owner === owner)
    const sorted = own.sort(inOrder)
    return sorted.filter((record) => after === undefined || inOrder(after, record) < 0).slice(0, limit)
  }

  async sweep(nowMs: number): Promise<void> {
    for (const [taskId, record] of this.#records) {
      if (expiryOf(record) > nowMs) continue
      this.#records.delete(taskId)
      const left = (this.#counts.get(record.owner) ?? 1) - 1
      if (left === 0) this.#counts.delete(record.owner)
      else this.#counts.set(record.owner, left)
    }
  }
}

function inOrder(a: TaskPlace, b: TaskPlace): number {
  return a.createdAtMs - b.createdAtMs || (a.taskId < b.taskId ? -1 : a.taskId > b.taskId ? 1 : 0)
}
