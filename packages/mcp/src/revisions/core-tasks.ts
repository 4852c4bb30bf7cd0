import { INTERNAL_ERROR, METHOD_NOT_FOUND } from '../jsonrpc/codes.ts'
import type { JsonObject, RpcError } from '../jsonrpc/frame.ts'
import { isObject, without } from '../jsonrpc/members.ts'
import { TASKS } from '../protocol/extensions.ts'
import { isTasksNeeded } from '../protocol/features/tasks.ts'
import { withoutExtension } from './steps.ts'

/**
 * Tasks of the extension in the words of the revision that had them in its core, and back. Only what one message can
 * say is converted here; who asks for a task, and how its outcome is fetched, is a matter of the bridges.
 */

/** A task on its way to an older peer: status only, and a tool that reported an error has failed. */
export function toCoreTask(task: JsonObject): JsonObject {
  const { ttlMs, pollIntervalMs, result, error, inputRequests: _, ...rest } = task
  const hasFailed = rest.status === 'completed' && isObject(result) && result.isError === true
  const said = isObject(error) && rest.statusMessage === undefined ? { statusMessage: error.message } : {}
  return {
    ...rest,
    ...said,
    ...(hasFailed ? { status: 'failed' } : {}),
    ttl: ttlMs ?? null,
    ...(pollIntervalMs === undefined ? {} : { pollInterval: pollIntervalMs }),
  }
}

/** The answer to a call that became a task. */
export function toCoreCreated(result: JsonObject): JsonObject {
  const { resultType: _, _meta, ...task } = result
  return { task: toCoreTask(task), ...(_meta === undefined ? {} : { _meta }) }
}

export function toNewerTask(task: JsonObject): JsonObject {
  const { ttl, pollInterval, ...rest } = task
  return {
    ...rest,
    ttlMs: typeof ttl === 'number' ? ttl : null,
    ...(typeof pollInterval === 'number' ? { pollIntervalMs: pollInterval } : {}),
  }
}

/** The server's extension becomes the core capability; its settings say whether tasks can be listed. */
export function toCoreCapabilities(capabilities: JsonObject): JsonObject {
  const { extensions } = capabilities
  const settings = isObject(extensions) && Object.hasOwn(extensions, TASKS) ? extensions[TASKS] : undefined
  if (!isObject(settings)) return capabilities
  const bare = withoutTaskExtension(capabilities)
  const listing = settings.list === true ? { list: {} } : {}
  return { ...bare, tasks: { ...listing, cancel: {}, requests: { tools: { call: {} } } } }
}

/** What a server has in its core counts as the extension; the extension itself cannot be negotiated by a handshake. */
export function toTaskExtension(capabilities: JsonObject): JsonObject {
  const bare = withoutTaskExtension(without(capabilities, ['tasks']))
  const { tasks } = capabilities
  const requests = isObject(tasks) ? tasks.requests : undefined
  const tools = isObject(requests) ? requests.tools : undefined
  if (!isObject(tools) || !isObject(tools.call)) return bare
  return { ...bare, extensions: { ...(isObject(bare.extensions) ? bare.extensions : {}), [TASKS]: {} } }
}

export function withoutTaskExtension(capabilities: JsonObject): JsonObject {
  return withoutExtension(capabilities, TASKS)
}

/** Calling a tool otherwise than its task support allows means there is no such method (tool-level negotiation). */
export function toCoreError(error: RpcError): RpcError {
  if (error.code !== MISSING_CAPABILITY && error.code !== INTERNAL_ERROR) return error
  return isTasksNeeded(error.data) ? { code: METHOD_NOT_FOUND, message: error.message } : error
}

const MISSING_CAPABILITY = -32021
