import { McpError } from '../../errors.ts'
import type { TaskRecord } from './record.ts'
import type { TaskPlace } from './store.ts'

/** The place after a task, as callers carry it. */
export function toCursor({ createdAtMs, taskId }: TaskRecord): string {
  return btoa(JSON.stringify([createdAtMs, taskId]))
}

/** A cursor only says where to go on in the caller's own list, so there is nothing to be gained by making one up. */
export function toPlace(cursor: unknown): TaskPlace | undefined {
  if (cursor === undefined) return undefined
  try {
    const [createdAtMs, taskId]: unknown[] = JSON.parse(atob(String(cursor).slice(0, MAX_CURSOR)))
    if (typeof createdAtMs === 'number' && typeof taskId === 'string') return { createdAtMs, taskId }
  } catch {
    // Said below: whatever it is, it is no cursor of ours.
  }
  throw new McpError('caller.invalid_params', 'Cannot list tasks: the cursor is not one of this list')
}

/** Tasks on one page of a list. */
export const PAGE = 100
const MAX_CURSOR = 256
