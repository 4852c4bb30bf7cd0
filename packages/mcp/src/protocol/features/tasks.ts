import type { JsonObject, RpcError } from '../../jsonrpc/frame.ts'
import { isObject, without } from '../../jsonrpc/members.ts'
import type { Notification, Result } from '../call.ts'
import { type ClientCapabilities, hasCapability, type ServerCapabilities } from '../capabilities.ts'
import { TASKS } from '../extensions.ts'
import { defineMethod } from '../method.ts'

/**
 * Long work with a handle (SEP-2663). The canonical model is the extension's: the server decides that a call becomes
 * a task, and the outcome comes with `tasks/get`. What the core of an older revision had instead is bridged.
 */

/** `completed`, `failed` and `cancelled` are final. A tool that reports `isError` has completed. */
export type TaskStatus = 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled'

export interface Task extends JsonObject {
  readonly taskId: string
  readonly status: TaskStatus
  /** What it is doing, waiting for, or why it ended; for people and models. */
  readonly statusMessage?: string
  /** ISO 8601. */
  readonly createdAt: string
  /** ISO 8601. */
  readonly lastUpdatedAt: string
  /** How long after its creation it may be asked for, in milliseconds; may grow. Null: without end. */
  readonly ttlMs: number | null
  /** How long to wait between two questions, in milliseconds. */
  readonly pollIntervalMs?: number
}

/** The answer to `tools/call` that became a task (`resultType: 'task'`): the task itself, flat. */
export type CreateTaskResult = Result & Task

/** What `tasks/get` answers and `notifications/tasks` carries: the task, and what belongs to its status. */
export interface DetailedTask extends Task {
  /** While `input_required`: what is asked, by keys that are never used twice. */
  readonly inputRequests?: Readonly<Record<string, Notification>>
  /** Once `completed`. */
  readonly result?: JsonObject
  /** Once `failed`. */
  readonly error?: RpcError
}

/**
 * The settings of the extension in a caller's capabilities. Empty on the wire; a bridge for callers whose revision
 * has tasks in its core says here what they asked for.
 */
export interface TaskWish extends JsonObject {
  /** The caller decides what becomes a task: it needs to know which tools can (`Tool.execution`). */
  readonly core?: boolean
  /** This call is to be a task from the start, or to fail. */
  readonly insists?: boolean
  /** How long the outcome should be kept, in milliseconds. */
  readonly ttlMs?: number
}

/** What the caller declared, or undefined where it did not declare the extension with this request. */
export function toTaskWish(capabilities: ClientCapabilities): TaskWish | undefined {
  const { extensions } = capabilities
  if (typeof extensions !== 'object' || extensions === null || !Object.hasOwn(extensions, TASKS)) return undefined
  const wish = extensions[TASKS]
  return typeof wish === 'object' && wish !== null ? (wish as TaskWish) : undefined // open; members are checked where used
}

/** Capabilities that declare the extension besides. */
export function withTaskWish(capabilities: ClientCapabilities, wish: TaskWish): ClientCapabilities {
  return { ...capabilities, extensions: { ...capabilities.extensions, [TASKS]: wish } }
}

/** Capabilities that do not declare it. */
export function withoutTaskWish(capabilities: ClientCapabilities): ClientCapabilities {
  const { extensions } = capabilities
  if (extensions === undefined || extensions[TASKS] === undefined) return capabilities
  return { ...capabilities, extensions: without(extensions, [TASKS]) }
}

export function hasTasks({ extensions }: ServerCapabilities): boolean {
  return extensions !== undefined && Object.hasOwn(extensions, TASKS) && hasCapability({ it: extensions[TASKS] }, 'it')
}

export function isFinal(status: unknown): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled'
}

/** The object of `error.data` for a caller who would have to declare the extension. */
export const NEEDS_TASKS: JsonObject = Object.freeze({ requiredCapabilities: { extensions: { [TASKS]: {} } } })

/** Whether an error says that the caller would have to declare the extension. */
export function isTasksNeeded(data: unknown): boolean {
  const required = isObject(data) ? data.requiredCapabilities : undefined
  const extensions = isObject(required) ? required.extensions : undefined
  return isObject(extensions) && Object.hasOwn(extensions, TASKS)
}

/** Names the task a message belongs to, in its `_meta`, where tasks are in the core. */
export const RELATED_TASK = 'io.modelcontextprotocol/related-task'

/** `_meta` of a message that belongs to a task, beside what it holds already. */
export function toRelatedMeta(meta: unknown, taskId: string): JsonObject {
  return { ...(isObject(meta) ? meta : {}), [RELATED_TASK]: { taskId } }
}

/** The task a message belongs to, by its `_meta`. */
export function toRelatedTask({ _meta }: JsonObject): string | undefined {
  const related = isObject(_meta) ? _meta[RELATED_TASK] : undefined
  return isObject(related) && typeof related.taskId === 'string' ? related.taskId : undefined
}

const request = { kind: 'request', feature: 'tasks' } as const

export const getTask = defineMethod({
  ...request,
  name: 'tasks/get',
  from: 'both',
  extension: TASKS,
  nameParam: 'taskId',
})
export const updateTask = defineMethod({
  ...request,
  name: 'tasks/update',
  from: 'client',
  extension: TASKS,
  nameParam: 'taskId',
})
export const cancelTask = defineMethod({
  ...request,
  name: 'tasks/cancel',
  from: 'both',
  extension: TASKS,
  nameParam: 'taskId',
})
export const taskChanged = defineMethod({
  name: 'notifications/tasks',
  kind: 'notification',
  from: 'server',
  feature: 'tasks',
  extension: TASKS,
})

const core = { from: 'both', feature: 'tasks', capability: 'tasks' } as const

export const taskResult = defineMethod({ ...core, kind: 'request', name: 'tasks/result' })
export const listTasks = defineMethod({ ...core, kind: 'request', name: 'tasks/list', listKey: 'tasks' })
export const taskStatus = defineMethod({ ...core, kind: 'notification', name: 'notifications/tasks/status' })
