import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { isObject } from '../../jsonrpc/members.ts'
import { shown } from '../../jsonrpc/shown.ts'
import type { Clock } from '../../peer/clock.ts'
import type { Result } from '../../protocol/call.ts'
import { type DetailedTask, isFinal, type TaskStatus, toRelatedMeta } from '../../protocol/features/tasks.ts'
import type { Answering, Question } from '../handlers.ts'

/** A question somebody thinks about apart from the request it came with. */
interface QuestionTask {
  readonly taskId: string
  readonly createdAt: string
  readonly ttlMs: number
  readonly controller: AbortController
  /** What the question is answered with, or why it is not; that it was cancelled is known before its handler ends. */
  readonly outcome: Promise<Result>
  status: TaskStatus
  statusMessage: string | undefined
  lastUpdatedAt: string
  /** On the clock. */
  expiresAt: number
}

/**
 * Tasks that a server makes of its own questions, where tasks are in the core (2025-11-25 basic/utilities/tasks): the
 * request is answered at once, the server asks how it is, and fetches the answer when it is there.
 */
export class QuestionTasks {
  readonly #answer: Answering
  readonly #clock: Clock
  /** In order of creation. */
  readonly #tasks = new Map<string, QuestionTask>()

  constructor(answer: Answering, clock: Clock) {
    this.#answer = answer
    this.#clock = clock
  }

  /** As the answering it stands around, with questions that are to be tasks, and what is asked about those. */
  readonly answer: Answering = async (method, params, question) => {
    this.#sweep()
    switch (method) {
      case 'tasks/get':
        return toTask(this.#find(params))
      case 'tasks/list':
        return { tasks: [...this.#tasks.values()].map(toTask) }
      case 'tasks/result':
        return toResult(this.#find(params), question)
      case 'tasks/cancel':
        return this.#cancel(this.#find(params))
    }
    const { task, ...bare } = params
    return isObject(task) ? this.#begin(method, bare, task, question) : this.#answer(method, bare, question)
  }

  #begin(method: string, params: JsonObject, { ttl }: JsonObject, { server }: Question): Result {
    if (this.#tasks.size >= MAX_TASKS) {
      throw new McpError('policy.limit', `Cannot make a task of "${method}": ${MAX_TASKS} are kept already`)
    }
    const controller = new AbortController()
    const createdAt = this.#today()
    const ttlMs = typeof ttl === 'number' && ttl > 0 ? Math.min(ttl, MAX_TTL_MS) : TTL_MS
    const task: QuestionTask = {
      taskId: crypto.randomUUID(),
      createdAt,
      ttlMs,
      controller,
      outcome: unlessAborted(controller.signal, this.#answer(method, params, { server, signal: controller.signal })),
      status: 'working',
      statusMessage: undefined,
      lastUpdatedAt: createdAt,
      expiresAt: this.#clock.now() + ttlMs,
    }
    this.#tasks.set(task.taskId, task)
    task.outcome.then(
      () => this.#settle(task, 'completed'),
      (error: unknown) => this.#settle(task, 'failed', error instanceof McpError ? error.message : undefined),
    )
    const { ttlMs: _, pollIntervalMs, ...told } = toTask(task)
    // In the words of the only revision that has this; its codec knows tasks as results of tools.
    return { task: { ...told, ttl: ttlMs, pollInterval: pollIntervalMs } }
  }

  #cancel(task: QuestionTask): Result {
    if (isFinal(task.status)) {
      throw new McpError('caller.invalid_params', `Cannot cancel the task: it is "${task.status}" already`)
    }
    this.#settle(task, 'cancelled')
    task.controller.abort(new McpError('caller.cancelled', 'The task was cancelled'))
    return toTask(task)
  }

  #settle(task: QuestionTask, status: TaskStatus, statusMessage?: string): void {
    if (isFinal(task.status)) return
    task.status = status
    task.statusMessage = statusMessage
    task.lastUpdatedAt = this.#today()
  }

  #today(): string {
    return new Date(this.#clock.wallNow()).toISOString()
  }

  #find({ taskId }: JsonObject): QuestionTask {
    const found = typeof taskId === 'string' ? this.#tasks.get(taskId) : undefined
    if (found !== undefined) return found
    throw new McpError('caller.invalid_params', `No task "${shown(String(taskId))}": it may have expired`)
  }

  /** After its time a question is forgotten, answered or not. */
  #sweep(): void {
    const now = this.#clock.now()
    for (const [taskId, task] of this.#tasks) {
      if (task.expiresAt > now) continue
      this.#tasks.delete(taskId)
      if (!isFinal(task.status)) task.controller.abort(new McpError('caller.cancelled', 'The question has expired'))
    }
  }
}

/**
 * Ends as the task does: with the answer, or with the error that the question would have got. A server that no longer
 * waits for it (`notifications/cancelled`) says nothing about the task, which goes on and can be asked for again; what
 * ends a task is `tasks/cancel` (2025-11-25 basic/utilities/tasks: result retrieval, task cancellation).
 */
async function toResult({ taskId, outcome }: QuestionTask, { signal }: Question): Promise<Result> {
  const result = await unlessAborted(signal, outcome)
  return { ...result, _meta: toRelatedMeta(result._meta, taskId) }
}

/** What the promise gives, or an end as soon as the signal says so: nothing of it stays on a signal that outlives it. */
function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

function toTask({ taskId, status, statusMessage, createdAt, lastUpdatedAt, ttlMs }: QuestionTask): DetailedTask {
  return {
    taskId,
    status,
    ...(statusMessage === undefined ? {} : { statusMessage }),
    createdAt,
    lastUpdatedAt,
    ttlMs,
    pollIntervalMs: POLL_MS,
  }
}

const MAX_TASKS = 256
const TTL_MS = 3_600_000
const MAX_TTL_MS = 86_400_000
const POLL_MS = 1_000
