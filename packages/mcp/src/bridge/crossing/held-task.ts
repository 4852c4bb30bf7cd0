import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Clock } from '../../peer/clock.ts'
import { type Call, type Handle, NO_INTERIM, type Notification, type Result } from '../../protocol/call.ts'
import { CancellationSource } from '../../protocol/cancellation.ts'
import { type DetailedTask, isFinal, withTaskWish } from '../../protocol/features/tasks.ts'
import { watchTask } from '../task-watch.ts'

/**
 * Calls of a tool that works only as a task, for callers who know no tasks (PROTOCOL §15.3): the call is made as a task
 * and held until that is over. What the task says of itself is told as progress, what it asks is asked of the caller.
 */
export function holdTasks(handle: Handle, clock: Clock): Handle {
  return async (call) => {
    const { downstream } = call
    const wishing = { ...call, downstream: { ...downstream, capabilities: withTaskWish(downstream.capabilities, {}) } }
    const result = await handle(wishing)
    if (result.resultType !== 'task') return result
    if (typeof result.taskId !== 'string') {
      throw new McpError('upstream.protocol', 'Cannot wait for the task of the server: it has no id')
    }
    return new HeldTask(handle, wishing, result.taskId).outcome(clock)
  }
}

class HeldTask {
  readonly #handle: Handle
  readonly #call: Call
  readonly #taskId: string
  /** Keys are never used twice, so each is asked once however often it is seen. */
  readonly #asked = new Set<string>()
  /** Ends the waiting, and takes back questions that the caller thinks about. */
  readonly #over = new CancellationSource()
  #failure: { readonly error: unknown } | undefined
  #said: unknown
  #steps = 0

  constructor(handle: Handle, call: Call, taskId: string) {
    this.#handle = handle
    this.#call = call
    this.#taskId = taskId
  }

  async outcome(clock: Clock): Promise<Result> {
    const { cancellation } = this.#call
    const watcher = { cancelled: () => this.#over.cancel(cancellation.reason) }
    if (cancellation.isCancelled) watcher.cancelled()
    else cancellation.watch(watcher)
    let isFinished = false
    try {
      const of = { ...this.#call, cancellation: this.#over, deadline: undefined, interim: NO_INTERIM }
      for await (const task of watchTask(this.#handle, of, this.#taskId, clock)) {
        isFinished = isFinal(task.status)
        if (isFinished) return toOutcome(task)
        this.#tell(task)
        for (const [key, request] of Object.entries(task.inputRequests ?? {})) this.#ask(key, request)
      }
      throw new McpError('upstream.protocol', 'Cannot tell the outcome of the task: it ended without one')
    } catch (error) {
      throw this.#failure === undefined ? error : this.#failure.error
    } finally {
      cancellation.unwatch(watcher)
      this.#over.cancel(new McpError('caller.cancelled', 'The task is over'))
      // The work is of no use to anybody any more. Its server may be away; then there is nobody to be told.
      if (!isFinished) this.#send('tasks/cancel', {}).catch(() => {})
    }
  }

  #tell({ statusMessage }: DetailedTask): void {
    const { interim } = this.#call
    if (!interim.progress || statusMessage === undefined || statusMessage === this.#said) return
    this.#said = statusMessage
    const params = { progress: ++this.#steps, message: statusMessage }
    interim.notify({ method: 'notifications/progress', params })
  }

  #ask(key: string, { method, params = {} }: Notification): void {
    if (this.#asked.has(key)) return
    if (this.#asked.size >= MAX_QUESTIONS) {
      this.#fail(new McpError('upstream.protocol', `Cannot finish the task: it asked ${MAX_QUESTIONS} times`))
      return
    }
    this.#asked.add(key)
    // It may throw as well as reject.
    const asking = async () => this.#call.interim.ask({ method, params }, this.#over)
    asking()
      .then((answer) => this.#send('tasks/update', { inputResponses: { [key]: answer } }))
      .catch((error: unknown) => this.#fail(error))
  }

  /** Nobody would ever answer. */
  #fail(error: unknown): void {
    if (this.#over.isCancelled) return
    this.#failure ??= { error }
    this.#over.cancel(error)
  }

  #send(method: string, params: JsonObject): Promise<Result> {
    return this.#handle({
      ...this.#call,
      method,
      params: { ...params, taskId: this.#taskId },
      cancellation: new CancellationSource(),
      deadline: undefined,
      interim: NO_INTERIM,
    })
  }
}

function toOutcome({ status, statusMessage, result, error }: DetailedTask): Result {
  if (status === 'completed' && result !== undefined) return result
  if (error !== undefined) throw new McpError('upstream.error', error.message, { rpc: error })
  if (status === 'cancelled') {
    return { content: [{ type: 'text', text: statusMessage ?? 'The task was cancelled' }], isError: true }
  }
  throw new McpError('upstream.protocol', `Cannot tell the outcome of the task: it is "${status}" without one`)
}

/** Questions of one task. */
const MAX_QUESTIONS = 1_000
