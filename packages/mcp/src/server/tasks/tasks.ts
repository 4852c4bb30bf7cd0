import { McpError, toRpcError } from '../../errors.ts'
import type { RpcError } from '../../jsonrpc/frame.ts'
import { isObject } from '../../jsonrpc/members.ts'
import { shown } from '../../jsonrpc/shown.ts'
import { sizeOf } from '../../jsonrpc/size.ts'
import type { Clock, Timer } from '../../peer/clock.ts'
import { toOwner } from '../../peer/tally.ts'
import { ANONYMOUS, type Call, type Result } from '../../protocol/call.ts'
import { type DetailedTask, isFinal, NEEDS_TASKS, type TaskWish, toTaskWish } from '../../protocol/features/tasks.ts'
import { NEWEST } from '../../revisions/index.ts'
import type { EndpointEvent } from '../../transports/endpoint.ts'
import { LiveTask, type TaskKeeper } from './live-task.ts'
import { PAGE, toCursor, toPlace } from './page.ts'
import { advance, expiryOf, isOrphan, type TaskRecord, toDetailedTask, toSized, toUnkept } from './record.ts'
import type { TaskBounds, TaskStore } from './store.ts'
import { Workload } from './workload.ts'

export interface TaskLimits {
  /** How long the outcome of a task is kept, where its tool does not say, in milliseconds. Default 1 hour. */
  readonly ttlMs: number
  /** The longest a caller may wish its outcome kept. Default 24 hours. */
  readonly maxTtlMs: number
  /** How long callers are told to wait between two questions. Default 1 second. */
  readonly pollIntervalMs: number
  /** Most tasks kept, at work or final; one more call is refused. Default 10,000. */
  readonly maxTasks: number
  /** Most of one caller. Callers nobody authenticated count as one. Default 1,000. */
  readonly maxTasksPerPrincipal: number
  /**
   * Most bytes kept of tasks: of parameters while handlers work, and, counted by itself, of questions and outcomes. A
   * task counts as 8 KiB at least. An outcome beyond it becomes a failure that says so. Default 256 MiB.
   */
  readonly maxBytes: number
  /** Most bytes of those of one caller. Default 64 MiB. */
  readonly maxBytesPerPrincipal: number
  /** How long after the last sign of life a process counts as gone, and its tasks as failed. Default 30 seconds. */
  readonly leaseMs: number
}

export interface TasksOptions {
  readonly store: TaskStore
  readonly limits: TaskLimits
  readonly clock: Clock
  readonly log: (event: EndpointEvent) => void
  /** Told of every change, once it is stored. */
  readonly changed: (task: DetailedTask) => void
  /** Named in the ids, where several processes serve the same callers. */
  readonly node?: string | undefined
}

/** What a tool says of its tasks. */
export interface TaskPlan {
  readonly ttlMs: number | undefined
  readonly pollIntervalMs: number | undefined
}

/** The tasks of one server: begins them, and answers for them. Every question is held against whose the task is. */
export class Tasks {
  readonly #options: TasksOptions
  readonly #keeper: TaskKeeper
  /** Other processes on the same store know ours by it. */
  readonly #worker = randomId()
  readonly #live = new Map<string, LiveTask>()
  readonly #workload: Workload
  readonly #bounds: TaskBounds
  /** Clocks here are monotonic; tasks outlive them. */
  readonly #epochMs: number
  #timer: Timer | undefined
  /** When the last of ours that is final may be forgotten. */
  #lastExpiryMs = 0
  #used = false

  constructor(options: TasksOptions) {
    this.#options = options
    this.#epochMs = options.clock.wallNow() - options.clock.now()
    this.#bounds = toTaskBounds(options.limits)
    this.#workload = new Workload(this.#bounds)
    this.#keeper = {
      clock: options.clock,
      now: () => this.#now(),
      keep: (record) => this.#keep(record),
      failed: (taskId, error) => options.log({ level: 'error', event: 'task_failed', taskId, error }),
    }
  }

  /** Whether there ever was a task here: who was given one may come back for it. */
  get used(): boolean {
    return this.#used
  }

  /**
   * Begins a task and answers with it once it is stored; `work` goes on by itself.
   * @throws {McpError} `policy.limit` where too many are kept
   */
  async start(call: Call, plan: TaskPlan, work: (call: Call) => Promise<Result>): Promise<Result> {
    const owner = toOwner(call.principal)
    const over = this.#workload.begin(owner, sizeOf(call.params))
    try {
      return await this.#begin(call, owner, plan, work, over)
    } catch (error) {
      over()
      throw error
    }
  }

  /** @param over told when the handler is done, which may be long after its task was cancelled */
  async #begin(
    call: Call,
    owner: string,
    plan: TaskPlan,
    work: (call: Call) => Promise<Result>,
    over: () => void,
  ): Promise<Result> {
    const { store, limits } = this.#options
    const now = this.#now()
    await store.sweep(now)
    const record = toSized({
      taskId: this.#options.node === undefined ? randomId() : `${this.#options.node}-${randomId()}`,
      owner,
      status: 'working',
      createdAtMs: now,
      updatedAtMs: now,
      keepMs: this.#toKeepMs(plan, toTaskWish(call.downstream.capabilities)),
      pollIntervalMs: plan.pollIntervalMs ?? limits.pollIntervalMs,
      worker: this.#worker,
      leaseUntilMs: now + limits.leaseMs,
      bytes: 0,
      inputRequests: {},
    })
    await store.create(record, this.#bounds)
    const task = new LiveTask(this.#keeper, record, call.downstream.capabilities)
    this.#used = true
    this.#live.set(record.taskId, task)
    this.#timer ??= this.#setTimer()
    void task.run(call, work).then(over)
    return { resultType: 'task', ...toDetailedTask(record, now) }
  }

  async get(call: Call): Promise<Result> {
    return toDetailedTask(await this.#find(call), this.#now())
  }

  async update(call: Call): Promise<Result> {
    const answers = toAnswers(call.params.inputResponses)
    const record = await this.#find(call)
    if (!isFinal(record.status)) await this.#toLive(record).answer(answers)
    return {}
  }

  /** Idempotent: what is final stays as it is. */
  async cancel(call: Call): Promise<Result> {
    const record = await this.#find(call)
    if (!isFinal(record.status)) await this.#toLive(record).cancel()
    return {}
  }

  /** The caller's own tasks, for revisions that can list them. Callers nobody tells apart have none. */
  async list(call: Call): Promise<Result> {
    checkDeclared(call)
    const { principal } = call
    if (principal.id === ANONYMOUS.id && principal.tenant === ANONYMOUS.tenant) {
      throw new McpError('caller.unknown_method', 'Cannot list tasks: callers are not told apart here')
    }
    const found = await this.#options.store.list(toOwner(principal), toPlace(call.params.cursor), PAGE + 1)
    const now = this.#now()
    const page = found.slice(0, PAGE)
    const tasks = page.filter((record) => expiryOf(record) > now).map((record) => this.#toCurrent(record, now))
    const last = page.at(-1)
    return found.length > PAGE && last !== undefined ? { tasks, nextCursor: toCursor(last) } : { tasks }
  }

  /** Those of the ids a listener named that are its own, as they are now. */
  async heardBy(call: Call, ids: readonly string[]): Promise<readonly DetailedTask[]> {
    checkDeclared(call)
    const now = this.#now()
    const owner = toOwner(call.principal)
    const found = await Promise.all(ids.map((id) => this.#options.store.find(id)))
    return found.flatMap((record) => {
      const isOwn = record !== undefined && record.owner === owner && expiryOf(record) > now
      return isOwn ? [this.#toCurrent(record, now)] : []
    })
  }

  /** @throws {McpError} `caller.invalid_params`, the same for a task that is not there and one of somebody else */
  async #find(call: Call): Promise<TaskRecord> {
    checkDeclared(call)
    const { taskId } = call.params
    if (typeof taskId !== 'string') throw new McpError('caller.invalid_params', 'Cannot find a task without "taskId"')
    const now = this.#now()
    const stored = await this.#options.store.find(taskId)
    if (stored === undefined || stored.owner !== toOwner(call.principal) || expiryOf(stored) <= now) {
      throw new McpError('caller.invalid_params', `No task "${shown(taskId)}": it may have expired`)
    }
    const live = this.#live.get(taskId)
    if (live !== undefined) return live.record
    return isOrphan(stored, now) ? this.#abandon(stored, now) : stored
  }

  #toCurrent(record: TaskRecord, now: number): DetailedTask {
    const current = this.#live.get(record.taskId)?.record ?? record
    return toDetailedTask(isOrphan(current, now) ? toAbandoned(current, now) : current, now)
  }

  async #abandon(record: TaskRecord, now: number): Promise<TaskRecord> {
    const failed = toAbandoned(record, now)
    await this.#keep(failed)
    return failed
  }

  #toLive(record: TaskRecord): LiveTask {
    const live = this.#live.get(record.taskId)
    if (live !== undefined) return live
    throw new McpError(
      'policy.busy',
      'Cannot reach the task: another process works on it; route requests by the header Mcp-Name',
    )
  }

  /** What is kept now: an outcome without room has become a failure; undefined for anything else without room. */
  async #keep(record: TaskRecord): Promise<TaskRecord | undefined> {
    let kept = toSized(record)
    if (!(await this.#save(kept))) {
      if (!isFinal(record.status)) return undefined
      kept = toUnkept(record, noRoom(kept.bytes, this.#options.limits))
      await this.#save(kept)
    }
    if (isFinal(kept.status)) {
      this.#lastExpiryMs = Math.max(this.#lastExpiryMs, expiryOf(kept))
      // Asked for between two lines it is found in the store, which has it by now.
      this.#live.delete(kept.taskId)
    }
    this.#options.changed(toDetailedTask(kept, this.#now()))
    return kept
  }

  /** False where there is no room for it. */
  async #save(record: TaskRecord): Promise<boolean> {
    const { store, log } = this.#options
    try {
      await store.save(record, this.#bounds)
    } catch (error) {
      if (error instanceof McpError && error.code === 'policy.limit') return false
      log({ level: 'error', event: 'task_not_stored', taskId: record.taskId, error })
    }
    return true
  }

  #toKeepMs({ ttlMs }: TaskPlan, wish: TaskWish | undefined): number {
    const { limits } = this.#options
    const wished = wish?.ttlMs
    const isUsable = typeof wished === 'number' && wished > 0
    return Math.min(isUsable ? wished : (ttlMs ?? limits.ttlMs), Math.max(limits.maxTtlMs, ttlMs ?? 0))
  }

  /** While anything of ours is at work its lease is renewed; then, until the last is forgotten, the store is swept. */
  #setTimer(): Timer {
    const { clock, limits } = this.#options
    const pauseMs = this.#live.size > 0 ? limits.leaseMs / 3 : Math.max(1, this.#lastExpiryMs - this.#now())
    return clock.setTimer(Math.min(pauseMs, LONGEST_TIMER_MS), () => {
      this.#timer = undefined
      void this.#tick()
    })
  }

  async #tick(): Promise<void> {
    const { store, limits, log } = this.#options
    const now = this.#now()
    try {
      if (this.#live.size > 0) await store.renew(this.#worker, now + limits.leaseMs)
      await store.sweep(now)
    } catch (error) {
      log({ level: 'error', event: 'task_store_failed', error })
    }
    if (this.#live.size > 0 || this.#lastExpiryMs > this.#now()) this.#timer ??= this.#setTimer()
  }

  #now(): number {
    return this.#epochMs + this.#options.clock.now()
  }
}

/** Every method of tasks is for callers that declared the extension with this very request. */
function checkDeclared(call: Call): void {
  if (toTaskWish(call.downstream.capabilities) !== undefined) return
  throw new McpError('caller.missing_capability', `Cannot answer "${call.method}" to a caller that declared no tasks`, {
    data: NEEDS_TASKS,
  })
}

function toAnswers(inputResponses: unknown): ReadonlyMap<string, Result> {
  if (!isObject(inputResponses)) {
    throw new McpError('caller.invalid_params', 'Cannot update a task: "inputResponses" is not an object')
  }
  const answers = new Map<string, Result>()
  for (const [key, answer] of Object.entries(inputResponses)) {
    if (!isObject(answer)) {
      throw new McpError('caller.invalid_params', `Cannot update a task: the answer to "${shown(key)}" is no object`)
    }
    answers.set(key, answer)
  }
  return answers
}

function toAbandoned(record: TaskRecord, now: number): TaskRecord {
  const message = 'The process that worked on this task ended before it was done; its outcome is unknown'
  return advance(record, { kind: 'failed', error: { code: -32603, message } }, now)
}

function toTaskBounds({ maxTasks, maxTasksPerPrincipal, maxBytes, maxBytesPerPrincipal }: TaskLimits): TaskBounds {
  return { maxTasks, maxTasksPerOwner: maxTasksPerPrincipal, maxBytes, maxBytesPerOwner: maxBytesPerPrincipal }
}

function noRoom(bytes: number, { maxBytes, maxBytesPerPrincipal }: TaskLimits): RpcError {
  const bounds = `${maxBytesPerPrincipal} bytes are kept of the tasks of one caller, and ${maxBytes} of all`
  const message = `Cannot keep the outcome of the task, ${bytes} bytes: no more than ${bounds}`
  return NEWEST.downError(toRpcError(new McpError('policy.limit', message), 'modern'), 'tools/call')
}

/** 192 random bits: nobody guesses one, and it can stand in a header. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24))
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
}

/** Timers of the platform overflow beyond 2^31 ms. */
const LONGEST_TIMER_MS = 60_000
