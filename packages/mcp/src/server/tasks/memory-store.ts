import { McpError } from '../../errors.ts'
import { Tally } from '../../peer/tally.ts'
import { isFinal } from '../../protocol/features/tasks.ts'
import { expiryOf, type TaskRecord } from './record.ts'
import { type TaskBounds, type TaskPlace, type TaskStore, toBounds } from './store.ts'

/** Tasks kept for as long as the process lives. */
export function createMemoryTaskStore(): TaskStore {
  return new MemoryTaskStore()
}

class MemoryTaskStore implements TaskStore {
  readonly #records = new Map<string, TaskRecord>()
  readonly #tally = new Tally()

  async create(record: TaskRecord, bounds: TaskBounds): Promise<void> {
    const { taskId, owner, bytes } = record
    if (this.#records.has(taskId)) throw new McpError('internal.error', 'Cannot keep two tasks of the same id')
    const excess = this.#tally.excess(owner, { count: 1, bytes }, toBounds(bounds))
    if (excess !== undefined) {
      throw new McpError('policy.limit', `Cannot begin another task: no more than ${excess.text} are kept`)
    }
    this.#records.set(taskId, record)
    this.#tally.add(owner, { count: 1, bytes })
  }

  async find(taskId: string): Promise<TaskRecord | undefined> {
    return this.#records.get(taskId)
  }

  async save(record: TaskRecord, bounds: TaskBounds): Promise<boolean> {
    const kept = this.#records.get(record.taskId)
    if (kept === undefined || isFinal(kept.status)) return false
    const more = { count: 0, bytes: record.bytes - kept.bytes }
    const excess = this.#tally.excess(kept.owner, more, toBounds(bounds))
    if (excess !== undefined) {
      throw new McpError('policy.limit', `Cannot keep more of the task: no more than ${excess.text} are kept`)
    }
    this.#tally.add(kept.owner, more)
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
      this.#tally.add(record.owner, { count: -1, bytes: -record.bytes })
    }
  }
}

function inOrder(a: TaskPlace, b: TaskPlace): number {
  return a.createdAtMs - b.createdAtMs || (a.taskId < b.taskId ? -1 : a.taskId > b.taskId ? 1 : 0)
}
