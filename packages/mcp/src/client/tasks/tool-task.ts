import { watchTask } from '../../bridge/task-watch.ts'
import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Clock } from '../../peer/clock.ts'
import { type Call, type Handle, type Interim, NO_INTERIM, type Notification } from '../../protocol/call.ts'
import { type DetailedTask, isFinal } from '../../protocol/features/tasks.ts'
import type { CallToolResult } from '../../protocol/features/tools.ts'
import { askUntilComplete } from '../ask-rounds.ts'
import { withContent } from '../opened.ts'

/**
 * A call of a tool that takes its time. What it asks meanwhile is answered by the client's handlers, for as long as
 * somebody waits: in {@link result} or in {@link updates}.
 */
export interface ToolTask {
  /** To come back for it, after a restart too (`client.task`). Undefined where the server answered at once. */
  readonly id: string | undefined
  /** How it is now. */
  status(): Promise<DetailedTask>
  /** How it is and what becomes of it, until it is final. May be iterated more than once. */
  readonly updates: AsyncIterable<DetailedTask>
  /**
   * Waits until it is final.
   * @throws {McpError} `upstream.error` with the server's own error where it failed, `caller.cancelled` where it was
   *   cancelled, and whatever a handler threw that was to answer it, which cancels it
   */
  result(): Promise<CallToolResult>
  /** Asks the server to stop. It may be too late; a task that is final stays as it is. */
  cancel(): Promise<void>
}

/** Makes a call that may become a task. Questions that come before it does are answered like those of any call. */
export async function beginTask(handle: Handle, call: Call, ask: Interim['ask'], clock: Clock): Promise<ToolTask> {
  const result = await askUntilComplete(handle, call, ask, clock)
  if (result.resultType !== 'task') return toFinished(result as CallToolResult, clock) // of `tools/call`
  const { taskId } = result
  if (typeof taskId !== 'string') throw new McpError('upstream.protocol', 'Cannot go on with a task that has no id')
  // The time the call may take says nothing about the task.
  return openTask(handle, { ...call, deadline: undefined }, taskId, ask, clock)
}

/** @param of a call whose declarations, cancellation and meta are those of all that is asked about the task */
export function openTask(handle: Handle, of: Call, id: string, ask: Interim['ask'], clock: Clock): ToolTask {
  return new OpenTask(handle, of, id, ask, clock)
}

class OpenTask implements ToolTask {
  readonly id: string
  readonly #handle: Handle
  readonly #of: Call
  readonly #ask: Interim['ask']
  readonly #clock: Clock
  /** Keys are never used twice, so each is answered once however often it is seen. */
  readonly #answered = new Set<string>()
  #failure: { readonly error: unknown } | undefined

  constructor(handle: Handle, of: Call, id: string, ask: Interim['ask'], clock: Clock) {
    this.id = id
    this.#handle = handle
    this.#of = { ...of, interim: NO_INTERIM }
    this.#ask = ask
    this.#clock = clock
  }

  get updates(): AsyncIterable<DetailedTask> {
    return { [Symbol.asyncIterator]: () => this.#watch() }
  }

  async status(): Promise<DetailedTask> {
    return (await this.#send('tasks/get', {})) as DetailedTask // of `tasks/get`
  }

  async result(): Promise<CallToolResult> {
    for await (const task of this.#watch()) if (isFinal(task.status)) return toResult(task)
    throw new McpError('upstream.protocol', 'Cannot tell the outcome of the task: it ended without one')
  }

  async cancel(): Promise<void> {
    await this.#send('tasks/cancel', {})
  }

  async *#watch(): AsyncGenerator<DetailedTask, void> {
    for await (const task of watchTask(this.#handle, this.#of, this.id, this.#clock)) {
      for (const [key, request] of Object.entries(task.inputRequests ?? {})) this.#answer(key, request)
      if (this.#failure !== undefined) throw this.#failure.error
      yield task
    }
  }

  #answer(key: string, request: Notification): void {
    if (this.#answered.has(key)) return
    if (this.#answered.size >= MAX_ANSWERS) {
      this.#fail(new McpError('upstream.protocol', `Cannot finish the task: it asked ${MAX_ANSWERS} times`))
      return
    }
    this.#answered.add(key)
    const { method, params } = request
    this.#ask({ method, params: params ?? {} }, this.#of.cancellation)
      .then((answer) => this.#send('tasks/update', { inputResponses: { [key]: answer } }))
      .catch((error: unknown) => this.#fail(error))
  }

  /** Nobody would ever answer: the work is of no use any more. */
  #fail(error: unknown): void {
    if (this.#of.cancellation.isCancelled) return
    this.#failure ??= { error }
    this.cancel().catch(() => {}) // the failure is what is told
  }

  #send(method: string, params: JsonObject) {
    return this.#handle({ ...this.#of, method, params: { ...params, taskId: this.id } })
  }
}

function toFinished(result: CallToolResult, clock: Clock): ToolTask {
  const now = new Date(clock.wallNow()).toISOString()
  const task: DetailedTask = {
    taskId: '',
    status: 'completed',
    createdAt: now,
    lastUpdatedAt: now,
    ttlMs: null,
    result,
  }
  return {
    id: undefined,
    status: async () => task,
    updates: {
      async *[Symbol.asyncIterator]() {
        yield task
      },
    },
    result: async () => result,
    cancel: async () => {},
  }
}

function toResult({ status, statusMessage, result, error }: DetailedTask): CallToolResult {
  if (status === 'completed' && result !== undefined) {
    return (Array.isArray(result.content) ? result : withContent(result)) as CallToolResult // of `tools/call`
  }
  if (error !== undefined) throw new McpError('upstream.error', error.message, { rpc: error })
  if (status === 'cancelled') throw new McpError('caller.cancelled', statusMessage ?? 'The task was cancelled')
  throw new McpError('upstream.protocol', `Cannot tell the outcome of the task: it is "${status}" without one`)
}

/** Questions of one task. */
const MAX_ANSWERS = 1_000
