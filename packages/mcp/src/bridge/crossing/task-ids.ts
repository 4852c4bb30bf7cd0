import { McpError } from '../../errors.ts'
import { INVALID_PARAMS } from '../../jsonrpc/codes.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { isObject } from '../../jsonrpc/members.ts'
import type { Call, Handle, Notification, Principal, Result } from '../../protocol/call.ts'
import { toTaskWish } from '../../protocol/features/tasks.ts'
import { nodeOfTask } from '../parking/node-hint.ts'
import type { Sealer } from '../parking/seal.ts'

/**
 * The ids of the tasks of one server, as callers carry them: sealed, so that an id opens for its caller alone and only for
 * this server, whatever the server itself checks, and nothing has to be remembered here. They are plain letters, digits,
 * `-`, `_` and `.`, since they travel in the header `Mcp-Name`.
 */
export class TaskIds {
  readonly #sealer: Sealer
  readonly #tag: string
  readonly #node: string | undefined

  /** @param node the process that has the connection which knows the tasks, where another's does not */
  constructor(sealer: Sealer, server: string, node?: string) {
    this.#sealer = sealer
    this.#tag = toTaskTag(server)
    this.#node = node
  }

  /** @throws {McpError} `upstream.protocol` for what can be no id */
  async seal({ principal }: Call, native: unknown): Promise<string> {
    if (typeof native === 'string' && native !== '' && native.length <= MAX_NATIVE) {
      const box = await this.#sealer.seal(toPurpose(principal), { t: native })
      return this.#node === undefined ? `${this.#tag}.${box}` : `${this.#tag}.${this.#node}.${box}`
    }
    throw new McpError('upstream.protocol', `Cannot go on with a task whose id is not 1 to ${MAX_NATIVE} characters`)
  }

  /** @throws {McpError} `caller.invalid_params`, the same for whatever may be wrong with it */
  async open({ principal }: Call, id: unknown): Promise<string> {
    const isOurs = typeof id === 'string' && id.length <= MAX_ID && id.startsWith(`${this.#tag}.`)
    const skipped = this.#tag.length + 1 + (nodeOfTask(id)?.length ?? -1) + 1
    const opened = isOurs ? await this.#sealer.open(toPurpose(principal), id.slice(skipped)) : undefined
    if (typeof opened?.t === 'string') return opened.t
    throw noTask()
  }
}

/** Whether a call speaks of tasks, or may become one. */
export function isAboutTasks({ method, params, downstream }: Call): boolean {
  switch (method) {
    case 'tools/call':
      return downstream.capabilities.extensions !== undefined && toTaskWish(downstream.capabilities) !== undefined
    case 'tasks/get':
    case 'tasks/update':
    case 'tasks/cancel':
      return true
    case 'subscriptions/listen':
      return isObject(params.notifications) && params.notifications.taskIds !== undefined
  }
  return false
}

/** A handle for calls about tasks, whose callers know them by these ids. */
export function withTaskIds(handle: Handle, ids: TaskIds): Handle {
  return async (call) => {
    if (call.method === 'tools/call') return withPublicId(call, await handle(call), ids)
    if (call.method === 'subscriptions/listen') return listen(handle, call, ids)
    const { taskId } = call.params
    const native = await ids.open(call, taskId)
    try {
      const result = await handle({ ...call, params: { ...call.params, taskId: native } })
      return result.taskId === undefined ? result : { ...result, taskId }
    } catch (error) {
      // In the words of a server its own id may stand; and callers are not told why there is no such task.
      throw isRefused(error) ? noTask() : error
    }
  }
}

async function withPublicId(call: Call, result: Result, ids: TaskIds): Promise<Result> {
  return result.resultType === 'task' ? { ...result, taskId: await ids.seal(call, result.taskId) } : result
}

async function listen(handle: Handle, call: Call, ids: TaskIds): Promise<Result> {
  const { notifications } = call.params as { readonly notifications: JsonObject } // looked at in `isAboutTasks`
  const asked: readonly unknown[] = Array.isArray(notifications.taskIds) ? notifications.taskIds : []
  const publics = new Map<string, unknown>()
  for (const id of asked) {
    const native = await ids.open(call, id).catch(() => undefined)
    if (native !== undefined) publics.set(native, id)
  }
  const notify = (notification: Notification) => call.interim.notify(withPublicIds(notification, publics))
  const { progress, logLevel, canAsk, ask } = call.interim
  return handle({
    ...call,
    params: { ...call.params, notifications: { ...notifications, taskIds: [...publics.keys()] } },
    interim: { progress, logLevel, canAsk, ask, notify },
  })
}

function withPublicIds(notification: Notification, publics: ReadonlyMap<string, unknown>): Notification {
  const { method, params } = notification
  if (method === 'notifications/tasks') {
    return { method, params: { ...params, taskId: publics.get(String(params.taskId)) } }
  }
  const { notifications } = params
  if (method !== 'notifications/subscriptions/acknowledged' || !isObject(notifications)) return notification
  if (!Array.isArray(notifications.taskIds)) return notification
  const taskIds = notifications.taskIds.map((id) => publics.get(String(id)))
  return { method, params: { ...params, notifications: { ...notifications, taskIds } } }
}

/** What the id of a task of this server begins with, before its first `.`: says whose it is without saying the name. */
export function toTaskTag(server: string): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(server)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash.toString(36)
}

/** Whose task it is by its id; undefined for an id that no server's task has. */
export function taskTagOf(id: unknown): string | undefined {
  const dot = typeof id === 'string' && id.length <= MAX_ID ? id.indexOf('.') : -1
  return dot === -1 ? undefined : String(id).slice(0, dot)
}

/** For an id nobody handed out, of somebody else, of a task that is forgotten: nobody is told which. */
export function noTask(): McpError {
  return new McpError('caller.invalid_params', 'There is no such task: its id is none of yours, or it has expired')
}

function isRefused(error: unknown): boolean {
  if (!(error instanceof McpError)) return false
  return error.rpc === undefined ? error.code === 'caller.invalid_params' : error.rpc.code === INVALID_PARAMS
}

function toPurpose({ tenant, id }: Principal): string {
  return `task:${tenant.length}:${tenant}${id}`
}

const MAX_NATIVE = 1_024
/** A native id in UTF-8, sealed and spelt in base64. */
const MAX_ID = 8_192
