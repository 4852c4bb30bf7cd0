import type { Id, JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'
import type { Notification } from '../protocol/call.ts'
import { PROGRESS_TOKEN, type ProgressToken, SUBSCRIPTION_ID } from '../protocol/envelope.ts'
import { isLogged, isLogLevel, type LogLevel } from '../protocol/features/logging.ts'
import type { ListenFilter } from '../protocol/features/subscriptions.ts'

/** What may be said on the way back of one call: gives the parameters as they leave, or undefined to say nothing. */
export interface Voice {
  toParams(notification: Notification): JsonObject | undefined
}

/** An ordinary call hears of its progress, and what is logged for it; both only if it asked. */
export class CallVoice implements Voice {
  readonly #token: ProgressToken | undefined
  readonly #level: LogLevel | undefined
  #last = Number.NEGATIVE_INFINITY

  constructor(token: ProgressToken | undefined, level: LogLevel | undefined) {
    this.#token = token
    this.#level = level
  }

  toParams({ method, params }: Notification): JsonObject | undefined {
    if (method === 'notifications/progress') return this.#toProgress(params)
    if (method === 'notifications/elicitation/complete') return params
    if (method === 'notifications/message') return this.#isWanted(params.level) ? params : undefined
    return undefined
  }

  /** Progress must increase; what does not is an upstream's slip and not worth a fault. */
  #toProgress(params: JsonObject): JsonObject | undefined {
    const { progress } = params
    if (this.#token === undefined || typeof progress !== 'number' || !(progress > this.#last)) return undefined
    if (!Number.isFinite(progress)) return undefined
    this.#last = progress
    return { ...params, [PROGRESS_TOKEN]: this.#token }
  }

  #isWanted(level: unknown): boolean {
    return this.#level !== undefined && isLogLevel(level) && isLogged(level, this.#level)
  }
}

/**
 * A listening call hears the acknowledgement, then changes of the kinds it asked for, each with the id of the
 * request that opened it: on a shared pipe nothing else tells listeners apart.
 */
export class ListenVoice implements Voice {
  readonly #id: Id
  readonly #asked: ListenFilter
  #honoured: ListenFilter | undefined

  constructor(id: Id, asked: ListenFilter) {
    this.#id = id
    this.#asked = asked
  }

  toParams({ method, params }: Notification): JsonObject | undefined {
    if (method === 'notifications/subscriptions/acknowledged') return this.#acknowledge(params)
    if (this.#honoured === undefined || !isHeard(method, params, this.#honoured)) return undefined
    return this.#tagged(params)
  }

  #acknowledge(params: JsonObject): JsonObject | undefined {
    if (this.#honoured !== undefined) return undefined
    this.#honoured = toHonoured(this.#asked, isObject(params.notifications) ? params.notifications : {})
    return this.#tagged({ ...params, notifications: this.#honoured })
  }

  #tagged(params: JsonObject): JsonObject {
    return { ...params, _meta: { ...(isObject(params._meta) ? params._meta : {}), [SUBSCRIPTION_ID]: this.#id } }
  }
}

/** What was both asked for and granted. A filter of a kind we do not know counts as asked if it is there. */
function toHonoured(asked: ListenFilter, granted: JsonObject): ListenFilter {
  const honoured: Record<string, unknown> = {}
  for (const [kind, wanted] of Object.entries(asked)) {
    const given = granted[kind]
    if (wanted === false || given === undefined || given === false) continue
    if (!Array.isArray(wanted) || !Array.isArray(given)) honoured[kind] = given
    else honoured[kind] = given.filter((item) => wanted.includes(item))
  }
  return honoured
}

function isHeard(method: string, params: JsonObject, honoured: ListenFilter): boolean {
  // An update may name something inside a watched resource, so only the kind is checked.
  if (method === 'notifications/resources/updated') return (honoured.resourceSubscriptions?.length ?? 0) > 0
  if (method === 'notifications/tasks') return honoured.taskIds?.includes(params.taskId as string) === true
  const kind = LIST_CHANGES[method]
  return kind !== undefined && honoured[kind] === true
}

const LIST_CHANGES: Readonly<Record<string, keyof ListenFilter>> = {
  'notifications/tools/list_changed': 'toolsListChanged',
  'notifications/prompts/list_changed': 'promptsListChanged',
  'notifications/resources/list_changed': 'resourcesListChanged',
}
