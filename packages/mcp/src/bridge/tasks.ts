import { McpError } from '../errors.ts'
import type { JsonObject, RequestFrame } from '../jsonrpc/frame.ts'
import { unknownMethod } from '../peer/membership.ts'
import { type Caller, OpenCall, type Way } from '../peer/open-call.ts'
import type { Served } from '../peer/served.ts'
import type { Call, Handle, Notification, Result } from '../protocol/call.ts'
import type { ServerCapabilities } from '../protocol/capabilities.ts'
import { parseEnvelope } from '../protocol/envelope.ts'
import { TASKS } from '../protocol/extensions.ts'
import {
  type DetailedTask,
  hasTasks,
  isFinal,
  type TaskWish,
  toRelatedMeta,
  withTaskWish,
} from '../protocol/features/tasks.ts'
import type { MethodCodec, Revision } from '../revisions/revision.ts'
import { watchTask } from './task-watch.ts'

/**
 * Tasks for a session whose revision has them in its core (2025-11-25 basic/utilities/tasks), on a handle that has
 * them as the extension: the client says which call is to be a task, and fetches the outcome with `tasks/result`,
 * which waits, and on whose stream the client is asked what the task asks.
 */
export class CoreTasks {
  readonly #served: Served
  readonly #revision: Revision
  readonly #waiting: Served
  readonly #cancelling: Served
  /** Questions the client thinks about, so that it is asked each of them once however often it waits for a task. */
  readonly #asked = new Set<string>()
  /** What each request that waits would ask, should another have stopped waiting for the answer. */
  readonly #waiters = new Set<() => void>()

  constructor(served: Served, revision: Revision) {
    this.#served = served
    this.#revision = revision
    this.#waiting = toServed(served, (call) => this.#await(call))
    this.#cancelling = toServed(served, (call) => this.#cancel(call))
  }

  /** Opens the call of a request that is about tasks; undefined for any other. */
  open(caller: Caller, frame: RequestFrame, way: Way): OpenCall | undefined {
    switch (frame.method) {
      case 'tools/list':
      case 'tasks/get':
      case 'tasks/list':
        return this.#open(this.#served, caller, CORE, frame, way)
      case 'tasks/result':
        return this.#open(this.#waiting, caller, CORE, frame, way)
      case 'tasks/cancel':
        return this.#open(this.#cancelling, caller, CORE, frame, way)
      case 'tools/call':
        if (frame.params.task === undefined) return undefined
        return this.#open(this.#served, caller, parseWish(frame.params.task), frame, way)
    }
    return undefined
  }

  #open(served: Served, caller: Caller, wish: TaskWish, frame: RequestFrame, way: Way): OpenCall {
    const capabilities = withTaskWish(caller.downstream.capabilities, wish)
    const wishing = { ...caller, downstream: { ...caller.downstream, capabilities } }
    return new OpenCall(served, wishing, this.#codecOf(frame.method), frame, parseEnvelope(frame.params), way)
  }

  #codecOf(method: string): MethodCodec {
    const { methods } = this.#revision
    const codec = methods.get(method)
    if (codec === undefined) throw unknownMethod(method, this.#revision)
    // The result of a task is that of the call it was.
    const downResult = method === 'tasks/result' ? methods.get('tools/call')?.downResult : undefined
    return downResult === undefined ? codec : { ...codec, downResult }
  }

  /** `tasks/result`: what the call would have been answered with, once there is that. */
  async #await(call: Call): Promise<Result> {
    const taskId = parseTaskId(call)
    let open: [key: string, request: Notification][] = []
    const relay = () => {
      for (const [key, request] of open) this.#relay(call, taskId, key, request)
    }
    this.#waiters.add(relay)
    try {
      for await (const task of watchTask(this.#served.handle, call, taskId, this.#served.clock)) {
        if (isFinal(task.status)) return toOutcome(task)
        open = Object.entries(task.inputRequests ?? {})
        relay()
      }
    } finally {
      this.#waiters.delete(relay)
    }
    throw new McpError('upstream.protocol', 'Cannot tell the outcome of the task: it ended without one')
  }

  /** Asks the client on the stream of the request that waits, where that can carry it. */
  #relay(call: Call, taskId: string, key: string, request: Notification): void {
    const question = `${taskId} ${key}`
    if (!call.interim.canAsk || call.cancellation.isCancelled) return
    if (this.#asked.has(question) || this.#asked.size >= MAX_ASKED) return
    this.#asked.add(question)
    void this.#ask(call, taskId, key, request).then((isSettled) => {
      this.#asked.delete(question)
      if (!isSettled) for (const waiter of this.#waiters) waiter()
    })
  }

  /** False where who waited stopped waiting. Never rejects: what goes wrong shows in the task. */
  async #ask(call: Call, taskId: string, key: string, { method, params }: Notification): Promise<boolean> {
    const send = (name: string, more: JsonObject) =>
      this.#served.handle({ ...call, method: name, params: { taskId, ...more } })
    try {
      const meta = toRelatedMeta(params._meta, taskId)
      const answer = await call.interim.ask({ method, params: { ...params, _meta: meta } })
      await send('tasks/update', { inputResponses: { [key]: answer } })
    } catch (error) {
      if (call.cancellation.isCancelled) return false
      this.#served.log('info', 'task.unanswered', { method, error })
      const isForm = method === 'elicitation/create'
      // There are words for not answering a form, and none for anything else.
      const gaveUp = isForm
        ? send('tasks/update', { inputResponses: { [key]: { action: 'cancel' } } })
        : send('tasks/cancel', {})
      await gaveUp.catch((failure: unknown) => this.#served.log('warn', 'task.stuck', { method, error: failure }))
    }
    return true
  }

  /** `tasks/cancel`: final before it is answered, and refused for what was final before. */
  async #cancel(call: Call): Promise<Result> {
    const { handle } = this.#served
    const get = async () => (await handle({ ...call, method: 'tasks/get' })) as DetailedTask
    checkNotFinal(await get())
    await handle(call)
    const task = await get()
    if (task.status === 'cancelled') return task
    checkNotFinal(task)
    return { ...task, status: 'cancelled' }
  }
}

/**
 * What a server offers, with whether it can list tasks: only where it tells callers apart, which is asked by listing.
 * @param of any call of the caller
 */
export async function withTaskList(
  handle: Handle,
  of: Call,
  capabilities: ServerCapabilities,
): Promise<ServerCapabilities> {
  if (!hasTasks(capabilities)) return capabilities
  const downstream = { ...of.downstream, capabilities: withTaskWish(of.downstream.capabilities, CORE) }
  try {
    await handle({ ...of, method: 'tasks/list', params: {}, downstream })
    return { ...capabilities, extensions: { ...capabilities.extensions, [TASKS]: { list: true } } }
  } catch {
    return capabilities
  }
}

function toServed(served: Served, handle: Handle): Served {
  return { ...served, handle, sessionHandle: handle }
}

function toOutcome({ taskId, status, statusMessage, result, error }: DetailedTask): Result {
  if (status === 'completed' && result !== undefined) {
    return { ...result, _meta: toRelatedMeta(result._meta, taskId) }
  }
  if (error !== undefined) throw new McpError('upstream.error', error.message, { rpc: error })
  if (status === 'cancelled') throw new McpError('caller.cancelled', statusMessage ?? 'The task was cancelled')
  throw new McpError('upstream.protocol', `Cannot tell the outcome of the task: it is "${status}" without one`)
}

function checkNotFinal({ status }: DetailedTask): void {
  if (isFinal(status)) throw new McpError('caller.invalid_params', `Cannot cancel the task: it is "${status}" already`)
}

function parseTaskId({ params: { taskId } }: Call): string {
  if (typeof taskId === 'string') return taskId
  throw new McpError('caller.invalid_params', 'Cannot find a task without "taskId"')
}

function parseWish(task: unknown): TaskWish {
  const isWish = typeof task === 'object' && task !== null
  const ttl = isWish ? (task as JsonObject).ttl : Number.NaN
  if (ttl === undefined || ttl === null) return INSISTING
  if (typeof ttl === 'number' && Number.isFinite(ttl) && ttl > 0) return { ...INSISTING, ttlMs: ttl }
  throw new McpError('caller.invalid_params', 'Cannot begin a task: "ttl" is not a number of milliseconds')
}

const CORE: TaskWish = Object.freeze({ core: true })
const INSISTING: TaskWish = Object.freeze({ core: true, insists: true })
/** Questions of the tasks of one session asked at once. */
const MAX_ASKED = 256
