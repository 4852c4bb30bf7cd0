import type { JsonObject, RpcError } from '../../jsonrpc/frame.ts'
import { sizeOf } from '../../jsonrpc/size.ts'
import type { Notification } from '../../protocol/call.ts'
import { type DetailedTask, isFinal, type TaskStatus } from '../../protocol/features/tasks.ts'

/** A task as it is stored: plain JSON, and everything that is known of it. Times are milliseconds since 1970. */
export interface TaskRecord {
  readonly taskId: string
  /** Whose it is: only this caller may ask for it. */
  readonly owner: string
  readonly status: TaskStatus
  readonly statusMessage?: string
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** How long it is kept once it is final. */
  readonly keepMs: number
  /** What it counts against the bounds on bytes, whatever a driver makes of it. */
  readonly bytes: number
  readonly pollIntervalMs: number
  /** The process that works on it, which says so again and again. */
  readonly worker: string
  /** When nobody works on it any more, unless the worker says otherwise before. */
  readonly leaseUntilMs: number
  /** Open questions, by keys that are never used twice. */
  readonly inputRequests: Readonly<Record<string, Notification>>
  readonly result?: JsonObject
  readonly error?: RpcError
}

export type TaskEvent =
  | { readonly kind: 'asked'; readonly key: string; readonly request: Notification }
  /** Answered, or no longer asked. */
  | { readonly kind: 'answered'; readonly keys: readonly string[] }
  | { readonly kind: 'completed'; readonly result: JsonObject }
  | { readonly kind: 'failed'; readonly error: RpcError }
  | { readonly kind: 'cancelled' }

/** The one place where a task moves. What is final stays as it is; so does what an event does not change. */
export function advance(record: TaskRecord, event: TaskEvent, nowMs: number): TaskRecord {
  if (isFinal(record.status)) return record
  const moved = { ...record, updatedAtMs: nowMs }
  switch (event.kind) {
    case 'asked':
      return {
        ...moved,
        status: 'input_required',
        inputRequests: { ...record.inputRequests, [event.key]: event.request },
      }
    case 'answered': {
      const open = Object.entries(record.inputRequests).filter(([key]) => !event.keys.includes(key))
      if (open.length === Object.keys(record.inputRequests).length) return record
      return {
        ...moved,
        status: open.length === 0 ? 'working' : 'input_required',
        inputRequests: Object.fromEntries(open),
      }
    }
    case 'completed': {
      const { statusMessage: _, ...rest } = moved // of the work, which is done
      return { ...rest, status: 'completed', inputRequests: {}, result: event.result }
    }
    case 'failed':
      return { ...moved, status: 'failed', inputRequests: {}, error: event.error, statusMessage: event.error.message }
    case 'cancelled':
      return { ...moved, status: 'cancelled', inputRequests: {}, statusMessage: 'Cancelled by the caller' }
  }
}

/** The record with what it counts. Every task counts as enough for its id, its message and how it failed. */
export function toSized(record: TaskRecord): TaskRecord {
  const { inputRequests, result, error } = record
  return { ...record, bytes: Math.max(LEAST_BYTES, FRAME_BYTES + sizeOf([inputRequests, result, error])) }
}

/** What stands for an outcome that could not be kept. */
export function toUnkept(record: TaskRecord, error: RpcError): TaskRecord {
  const { result: _, ...rest } = record
  return toSized({ ...rest, status: 'failed', error, statusMessage: error.message })
}

/** Whether nobody works on it any more although it is not final: its process ended. */
export function isOrphan(record: TaskRecord, nowMs: number): boolean {
  return !isFinal(record.status) && record.leaseUntilMs < nowMs
}

/** When it may be forgotten. */
export function expiryOf(record: TaskRecord): number {
  return (isFinal(record.status) ? record.updatedAtMs : record.leaseUntilMs) + record.keepMs
}

/** What a caller sees of it. While it is at work its time to live grows, so that it never ends before the work does. */
export function toDetailedTask(record: TaskRecord, nowMs: number): DetailedTask {
  const { taskId, status, statusMessage, createdAtMs, updatedAtMs, keepMs, pollIntervalMs } = record
  const aliveUntil = (isFinal(status) ? updatedAtMs : nowMs) + keepMs
  return {
    taskId,
    status,
    ...(statusMessage === undefined ? {} : { statusMessage }),
    createdAt: new Date(createdAtMs).toISOString(),
    lastUpdatedAt: new Date(updatedAtMs).toISOString(),
    ttlMs: Math.ceil(aliveUntil - createdAtMs),
    pollIntervalMs,
    ...(status === 'input_required' ? { inputRequests: record.inputRequests } : {}),
    ...(record.result === undefined ? {} : { result: record.result }),
    ...(record.error === undefined ? {} : { error: record.error }),
  }
}

const LEAST_BYTES = 8_192
/** Of all that is not counted by itself: ids, times, the message. */
const FRAME_BYTES = 2_048
