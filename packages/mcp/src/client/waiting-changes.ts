import type { Notification } from '../protocol/call.ts'
import type { ListenFilter } from '../protocol/features/subscriptions.ts'

/**
 * Changes that somebody will hear of later, each once however often it happens. A server may name whatever lies inside
 * of what is watched, and so any number of things: beyond a bound only what is watched is said to have changed, and what
 * is not inside of anything watched is dropped.
 */
export class WaitingChanges {
  readonly #filter: ListenFilter
  readonly #changes = new Map<string, Notification>()

  /** @param filter what was asked for */
  constructor(filter: ListenFilter) {
    this.#filter = filter
  }

  get size(): number {
    return this.#changes.size
  }

  add(notification: Notification): void {
    const { method, params } = notification
    const about = String(params.uri ?? params.taskId)
    const key = `${method} ${about}`
    const { taskIds, resourceSubscriptions } = this.#filter
    const isFew = this.#changes.size < MAX_CHANGES && about.length <= MAX_ABOUT
    if (isFew || this.#changes.has(key) || LISTS.has(method) || (method === TASK && taskIds?.includes(about))) {
      this.#changes.set(key, notification)
    } else if (method === UPDATED) {
      const uri = resourceSubscriptions?.find((one) => about === one || about.startsWith(`${one}/`))
      if (uri !== undefined) this.#changes.set(`${UPDATED} ${uri}`, { method, params: { uri } })
    }
  }

  /** Those that wait, each taken when it is given; what comes meanwhile is given too. */
  *take(): Generator<Notification, void> {
    for (const [key, notification] of this.#changes) {
      this.#changes.delete(key)
      yield notification
    }
  }
}

const LISTS: ReadonlySet<string> = new Set([
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
])
const TASK = 'notifications/tasks'
const UPDATED = 'notifications/resources/updated'
/** Beside these, one for each thing that was asked for. */
const MAX_CHANGES = 1_024
/** Characters of what a change names. */
const MAX_ABOUT = 8_192
