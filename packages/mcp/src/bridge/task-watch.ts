import { isRetryable, McpError } from '../errors.ts'
import { AWAITED, type Clock } from '../peer/clock.ts'
import { type Call, type Handle, NO_INTERIM, type Notification } from '../protocol/call.ts'
import { CancellationSource } from '../protocol/cancellation.ts'
import { type DetailedTask, isFinal } from '../protocol/features/tasks.ts'

/**
 * A task as it is and as it changes, until it is final. The server is asked again and again, as often as it wishes,
 * and seldom where it tells of changes by itself. What changes faster than it is read is told as it is by then.
 * @param of whose call this is: its cancellation ends the watch
 */
export async function* watchTask(
  handle: Handle,
  of: Call,
  taskId: string,
  clock: Clock,
): AsyncGenerator<DetailedTask, void> {
  const watch = new TaskWatch(handle, of, taskId, clock)
  try {
    for (let last: string | undefined; ; ) {
      const task = await watch.next()
      // What says how it was told is none of the task.
      const shown = JSON.stringify({ ...task, ttlMs: undefined, resultType: undefined, _meta: undefined })
      if (shown !== last) yield task
      if (isFinal(task.status)) return
      last = shown
      await watch.pause(task.pollIntervalMs)
    }
  } finally {
    watch.end()
  }
}

class TaskWatch {
  readonly #handle: Handle
  readonly #of: Call
  readonly #taskId: string
  readonly #clock: Clock
  readonly #listening = new CancellationSource()
  /** Told and not read yet. */
  #told: DetailedTask | undefined
  #isTold = false
  #wake: () => void = () => {}
  #failures = 0

  constructor(handle: Handle, of: Call, taskId: string, clock: Clock) {
    this.#handle = handle
    this.#of = of
    this.#taskId = taskId
    this.#clock = clock
    void this.#listen()
  }

  async next(): Promise<DetailedTask> {
    for (;;) {
      const { cancellation } = this.#of
      if (cancellation.isCancelled) throw new McpError('caller.cancelled', 'Nobody waits for the task any more')
      const told = this.#told
      this.#told = undefined
      if (told !== undefined) return told
      try {
        const task = await this.#handle({ ...this.#of, method: 'tasks/get', params: { taskId: this.#taskId } })
        this.#failures = 0
        return task as DetailedTask // what `tasks/get` answers
      } catch (error) {
        // Work goes on while its server cannot be reached.
        if (!isRetryable(error) || cancellation.isCancelled || ++this.#failures > MAX_FAILURES) throw error
        await this.pause(undefined)
      }
    }
  }

  /** Over after a while, or as soon as there is something to tell. */
  pause(pollIntervalMs: unknown = DEFAULT_POLL_MS): Promise<void> {
    const asked = typeof pollIntervalMs === 'number' ? Math.min(Math.max(pollIntervalMs, SHORTEST_MS), LONGEST_MS) : 0
    const ms = Math.max(asked || DEFAULT_POLL_MS, this.#isTold ? BACKSTOP_MS : 0)
    const { cancellation } = this.#of
    return new Promise((resolve) => {
      const wake = () => {
        timer.cancel()
        cancellation.unwatch(watcher)
        this.#wake = () => {}
        resolve()
      }
      const timer = this.#clock.setTimer(ms, wake, AWAITED)
      const watcher = { cancelled: wake }
      this.#wake = wake
      if (this.#told !== undefined || cancellation.isCancelled) wake()
      else cancellation.watch(watcher)
    })
  }

  end(): void {
    this.#listening.cancel(new McpError('caller.cancelled', 'Nobody watches the task any more'))
  }

  /** Servers need not tell of changes; one that does not is only asked. */
  async #listen(): Promise<void> {
    const interim = { ...NO_INTERIM, notify: (notification: Notification) => this.#hear(notification) }
    const params = { notifications: { taskIds: [this.#taskId] } }
    try {
      await this.#handle({
        ...this.#of,
        method: 'subscriptions/listen',
        params,
        cancellation: this.#listening,
        deadline: undefined,
        interim,
      })
    } catch {
      // Asked instead, which tells what is wrong.
    }
    this.#isTold = false
    this.#wake()
  }

  #hear({ method, params }: Notification): void {
    if (method === 'notifications/subscriptions/acknowledged') {
      const { taskIds } = (params.notifications ?? {}) as { taskIds?: unknown }
      this.#isTold = Array.isArray(taskIds) && taskIds.includes(this.#taskId)
    } else if (method === 'notifications/tasks' && params.taskId === this.#taskId) {
      this.#told = params as DetailedTask // what `notifications/tasks` carries
      this.#wake()
    }
  }
}

const DEFAULT_POLL_MS = 1_000
/** However impatient or patient a server is. */
const SHORTEST_MS = 50
const LONGEST_MS = 60_000
/** How often a server that tells of changes is asked all the same. */
const BACKSTOP_MS = 30_000
const MAX_FAILURES = 5
