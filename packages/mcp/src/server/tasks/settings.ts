import type { OptionNames } from '../../protocol/option-names.ts'
import { createMemoryTaskStore } from './memory-store.ts'
import type { TaskStore } from './store.ts'
import type { TaskLimits } from './tasks.ts'

/** How a server keeps its tasks. */
export interface TaskOptions extends Partial<TaskLimits> {
  /** Default: in memory, for as long as the process lives. */
  readonly store?: TaskStore
}

export interface TaskSettings {
  readonly limits: TaskLimits
  readonly store: TaskStore
}

/** @throws {Error} for a limit that is no positive integer */
export function toTaskSettings({ store, ...given }: TaskOptions = {}): TaskSettings {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || (Number.isInteger(value) && value > 0)) continue
    throw new Error(`Cannot create a server with tasks.${name} ${value}: it must be a positive integer`)
  }
  const limits = {
    ttlMs: given.ttlMs ?? 3_600_000,
    maxTtlMs: given.maxTtlMs ?? 86_400_000,
    pollIntervalMs: given.pollIntervalMs ?? 1_000,
    maxTasks: given.maxTasks ?? 10_000,
    maxTasksPerPrincipal: given.maxTasksPerPrincipal ?? 1_000,
    maxBytes: given.maxBytes ?? 256 * 1024 * 1024,
    maxBytesPerPrincipal: given.maxBytesPerPrincipal ?? 64 * 1024 * 1024,
    leaseMs: given.leaseMs ?? 30_000,
  }
  return { limits, store: store ?? createMemoryTaskStore() }
}

export const TASK_NAMES: OptionNames<TaskOptions> = {
  store: true,
  ttlMs: true,
  maxTtlMs: true,
  pollIntervalMs: true,
  maxTasks: true,
  maxTasksPerPrincipal: true,
  maxBytes: true,
  maxBytesPerPrincipal: true,
  leaseMs: true,
}
