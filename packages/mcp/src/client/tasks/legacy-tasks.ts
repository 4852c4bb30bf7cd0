import { McpError } from '../../errors.ts'
import type { JsonObject, RpcError } from '../../jsonrpc/frame.ts'
import { isObject, without } from '../../jsonrpc/members.ts'
import { AWAITED, type Clock } from '../../peer/clock.ts'
import { type Call, NO_INTERIM, type Notification, type Result } from '../../protocol/call.ts'
import { type Cancellation, CancellationSource } from '../../protocol/cancellation.ts'
import { type DetailedTask, isFinal, NEEDS_TASKS, RELATED_TASK, toTaskWish } from '../../protocol/features/tasks.ts'

export interface LegacyTasksOptions {
  readonly clock: Clock
  /** Sends a call in the words of the server's revision, its result already in ours. */
  readonly send: (call: Call, timeoutMs?: number) => Promise<Result>
}

/** A `tasks/result` that waits: on its stream the server asks what the task asks. */
interface Waiting {
  readonly questions: Map<string, { readonly request: Notification; readonly resolve: (answer: Result) => void }>
  readonly outcome: Promise<Outcome>
  readonly stop: CancellationSource
  /** Told of the next question. */
  asked: () => void
  /** When somebody last wanted to know of the task. */
  touchedAt: number
}

type Outcome = { readonly result: JsonObject } | { readonly error: RpcError }

/**
 * The tasks extension for servers that have tasks in their core (2025-11-25 basic/utilities/tasks). A call that may be
 * a task, by what its caller declares, is asked to be one where the tool can; the outcome and the questions of a task
 * come with a request that waits for them.
 */
export class LegacyTasks {
  readonly #options: LegacyTasksOptions
  readonly #supports = new Map<string, unknown>()
  readonly #waiting = new Map<string, Waiting>()
  #asked = 0

  constructor(options: LegacyTasksOptions) {
    this.#options = options
  }

  /** Remembers which tools can be tasks, from a list in the server's own words. */
  learn({ tools }: JsonObject): void {
    if (!Array.isArray(tools)) return
    for (const tool of tools) {
      if (!isObject(tool) || typeof tool.name !== 'string' || this.#supports.size >= MAX_TOOLS) continue
      this.#supports.set(tool.name, isObject(tool.execution) ? tool.execution.taskSupport : undefined)
    }
  }

  /** Answers what is about tasks; undefined for any other call. */
  handle(call: Call): Promise<Result> | undefined {
    switch (call.method) {
      case 'tools/call':
        return this.#call(call)
      case 'tools/list':
        return toTaskWish(call.downstream.capabilities)?.core === true ? this.#list(call) : undefined
      case 'tasks/get':
        return this.#get(call)
      case 'tasks/update':
        return this.#update(call)
      case 'tasks/cancel':
        return this.#cancel(call)
    }
    return undefined
  }

  /** Undefined for a call that is none of ours: nearly all of them. */
  #call(call: Call): Promise<Result> | undefined {
    const declares = toTaskWish(call.downstream.capabilities) !== undefined
    // What a caller asks for there would be made a task of, and means nothing where it comes from.
    const bare = call.params.task === undefined ? call : { ...call, params: without(call.params, ['task']) }
    if (declares) return this.#begin(bare)
    return bare === call ? undefined : this.#options.send(bare)
  }

  async #begin(call: Call): Promise<Result> {
    const { send } = this.#options
    const support = await this.#supportOf(call)
    if (!isTaskSupport(support)) return send(call)
    const ttlMs = toTaskWish(call.downstream.capabilities)?.ttlMs
    const task = ttlMs === undefined ? {} : { ttl: ttlMs }
    const result = await send({ ...call, params: { ...call.params, task } })
    // A server may not do what it said, and answer at once.
    return isObject(result.task) ? { ...parseTask(result.task), resultType: 'task' } : result
  }

  /** For callers who decide themselves what becomes a task: which tools can, as the server says. */
  async #list(call: Call): Promise<Result> {
    const result = await this.#options.send(call)
    if (!Array.isArray(result.tools)) return result
    const tools = result.tools.map((tool: unknown) => {
      const taskSupport = isObject(tool) ? this.#supports.get(String(tool.name)) : undefined
      return isObject(tool) && isTaskSupport(taskSupport) ? { ...tool, execution: { taskSupport } } : tool
    })
    return { ...result, tools }
  }

  async #get(call: Call): Promise<Result> {
    const taskId = parseTaskId(call)
    const task = parseTask(await this.#options.send(call))
    if (isFinal(task.status)) return this.#toFinal(call, task)
    if (task.status === 'input_required') await this.#untilAsked(call, taskId)
    const open = [...(this.#waiting.get(taskId)?.questions ?? [])]
    // What asks nothing yet that could be answered is not waiting for us.
    if (open.length === 0) return { ...task, status: 'working' }
    const inputRequests = Object.fromEntries(open.map(([key, { request }]) => [key, request]))
    return { ...task, status: 'input_required', inputRequests }
  }

  async #toFinal(call: Call, task: DetailedTask): Promise<Result> {
    if (task.status === 'cancelled') {
      this.#stop(task.taskId)
      return task
    }
    const outcome = await this.#wait(call, task.taskId).outcome
    this.#stop(task.taskId)
    // There a tool that reports an error has failed; here it has completed.
    return 'result' in outcome
      ? { ...task, status: 'completed', result: outcome.result }
      : { ...task, status: 'failed', error: outcome.error }
  }

  async #update(call: Call): Promise<Result> {
    const { inputResponses } = checkDeclared(call).params
    if (!isObject(inputResponses)) {
      throw new McpError('caller.invalid_params', 'Cannot update a task: "inputResponses" is not an object')
    }
    const questions = this.#waiting.get(parseTaskId(call))?.questions
    for (const [key, answer] of Object.entries(inputResponses)) {
      if (isObject(answer)) questions?.get(key)?.resolve(answer)
      questions?.delete(key)
    }
    return {}
  }

  async #cancel(call: Call): Promise<Result> {
    const taskId = parseTaskId(call)
    try {
      await this.#options.send(call)
    } catch (error) {
      // Refused for a task that is final, which is as good; and for one that is not there.
      const { status } = parseTask(await this.#options.send({ ...call, method: 'tasks/get' }))
      if (!isFinal(status)) throw error
    }
    this.#stop(taskId)
    return {}
  }

  /** Resolves once there is a question, or after a moment in which none came. */
  #untilAsked(call: Call, taskId: string): Promise<void> {
    const waiting = this.#wait(call, taskId)
    if (waiting.questions.size > 0) return Promise.resolve()
    return new Promise((resolve) => {
      const end = () => {
        timer.cancel()
        waiting.asked = nothing
        resolve()
      }
      const timer = this.#options.clock.setTimer(MOMENT_MS, end, AWAITED)
      waiting.asked = end
      waiting.outcome.then(end, end)
    })
  }

  /** The one request that waits for the outcome of a task; opened anew after it broke. */
  #wait(call: Call, taskId: string): Waiting {
    const now = this.#options.clock.now()
    const found = this.#waiting.get(taskId)
    if (found !== undefined) {
      found.touchedAt = now
      return found
    }
    for (const [id, { touchedAt }] of this.#waiting) if (touchedAt + FORGOTTEN_MS < now) this.#stop(id)
    if (this.#waiting.size >= MAX_WAITING) {
      throw new McpError('policy.limit', `Cannot wait for another task: ${MAX_WAITING} are waited for already`)
    }
    const stop = new CancellationSource()
    const questions: Waiting['questions'] = new Map()
    const ask = ({ method, params }: Notification, withdrawn?: Cancellation) =>
      new Promise<Result>((resolve, reject) => {
        if (method.startsWith('tasks/')) {
          reject(new McpError('caller.missing_capability', `Cannot answer "${method}" on behalf of a task`))
          return
        }
        if (questions.size >= MAX_QUESTIONS) {
          reject(new McpError('policy.limit', `Cannot consider "${method}": the task asks too much at once`))
          return
        }
        const key = `question-${++this.#asked}`
        questions.set(key, { request: { method, params: without(params, ['_meta']) }, resolve })
        withdrawn?.watch({ cancelled: () => void questions.delete(key) })
        waiting.asked()
      })
    const outcome = this.#options
      .send(
        {
          ...call,
          method: 'tasks/result',
          params: { taskId },
          cancellation: stop,
          deadline: undefined,
          interim: { ...NO_INTERIM, canAsk: true, ask },
        },
        Number.POSITIVE_INFINITY,
      )
      .then(toOutcome, toFailedOutcome)
    const waiting: Waiting = { questions, outcome, stop, asked: nothing, touchedAt: now }
    this.#waiting.set(taskId, waiting)
    outcome.catch(() => {
      if (this.#waiting.get(taskId) === waiting) this.#waiting.delete(taskId)
    })
    return waiting
  }

  #stop(taskId: string): void {
    this.#waiting.get(taskId)?.stop.cancel(new McpError('caller.cancelled', 'Nobody waits for the task any more'))
    this.#waiting.delete(taskId)
  }

  async #supportOf(call: Call): Promise<unknown> {
    const name = String(call.params.name)
    let cursor: unknown
    for (let page = 0; page < MAX_PAGES && !this.#supports.has(name); page++) {
      const params = cursor === undefined ? {} : { cursor }
      const listed = await this.#options.send({ ...call, method: 'tools/list', params, interim: NO_INTERIM })
      cursor = listed.nextCursor
      if (cursor === undefined) break
    }
    return this.#supports.get(name)
  }
}

function nothing(): void {}

function isTaskSupport(support: unknown): boolean {
  return support === 'optional' || support === 'required'
}

function checkDeclared(call: Call): Call {
  if (toTaskWish(call.downstream.capabilities) !== undefined) return call
  throw new McpError('caller.missing_capability', `Cannot answer "${call.method}" to a caller that declared no tasks`, {
    data: NEEDS_TASKS,
  })
}

function parseTaskId(call: Call): string {
  const { taskId } = checkDeclared(call).params
  if (typeof taskId === 'string') return taskId
  throw new McpError('caller.invalid_params', 'Cannot find a task without "taskId"')
}

/** @throws {McpError} `upstream.protocol` for what is no task */
function parseTask(task: JsonObject): DetailedTask {
  const { taskId, status, ttl, pollInterval } = task
  if (typeof taskId !== 'string' || taskId === '' || !STATUSES.has(status)) {
    throw new McpError('upstream.protocol', 'Cannot read the task of the server: it lacks an id or a known status')
  }
  if (ttl === undefined && pollInterval === undefined) return task as DetailedTask // what else is in it is told on
  return {
    ...(without(task, ['ttl', 'pollInterval']) as DetailedTask), // checked above
    ttlMs: typeof ttl === 'number' ? ttl : null,
    ...(typeof pollInterval === 'number' ? { pollIntervalMs: pollInterval } : {}),
  }
}

/** Whose result it is, is told by the task it stands in. */
function toOutcome(result: Result): Outcome {
  const meta = isObject(result._meta) ? without(result._meta, [RELATED_TASK]) : {}
  const bare = without(result, ['_meta'])
  return { result: Object.keys(meta).length === 0 ? bare : { ...bare, _meta: meta } }
}

function toFailedOutcome(error: unknown): Outcome {
  if (error instanceof McpError && error.rpc !== undefined) return { error: error.rpc }
  throw error
}

const STATUSES: ReadonlySet<unknown> = new Set(['working', 'input_required', 'completed', 'failed', 'cancelled'])
/** Tools whose task support is remembered. */
const MAX_TOOLS = 10_000
/** Pages of tools read to find one. */
const MAX_PAGES = 100
/** Tasks waited for at once. */
const MAX_WAITING = 256
const MAX_QUESTIONS = 64
/** How long a question may take to arrive after its task said that it asks. */
const MOMENT_MS = 250
/** After that long nobody seems to want the outcome of a task any more. */
const FORGOTTEN_MS = 300_000
