import { McpError } from '../errors.ts'
import { tooManyListen } from '../peer/calls.ts'
import { Shares } from '../peer/shares.ts'
import { ANONYMOUS, type Call, type Notification, type Principal, type Result } from '../protocol/call.ts'
import type { ListenFilter } from '../protocol/features/subscriptions.ts'
import type { DetailedTask } from '../protocol/features/tasks.ts'
import type { ServerSettings } from './settings.ts'

/** The three lists whose changes a listener may ask for, as the filter names them, and what it hears. */
export const CHANGES = {
  toolsListChanged: 'notifications/tools/list_changed',
  promptsListChanged: 'notifications/prompts/list_changed',
  resourcesListChanged: 'notifications/resources/list_changed',
} as const

export type ListChange = keyof typeof CHANGES
export const LIST_CHANGES = Object.keys(CHANGES) as readonly ListChange[] // the keys of a literal are its type's keys

/** Whom a change concerns: what is hidden from somebody changes unheard. */
export type Concerns = (principal: Principal) => boolean

type ToldChange = (change: ListChange, concerns?: Concerns) => void

interface Listener {
  readonly principal: Principal
  readonly hears: ReadonlySet<ListChange>
  /** What it may not see any more is taken out. */
  readonly watched: Set<string>
  readonly tasks: ReadonlySet<string>
  readonly notify: (notification: Notification) => void
  readonly end: () => void
}

/** Everybody who has a `subscriptions/listen` open, and the changes told to them. */
export class Listeners {
  readonly #settings: ServerSettings
  readonly #toRule: (uri: string) => Concerns | undefined
  readonly #open = new Set<Listener>()
  readonly #shares: Shares
  readonly #pending = new Map<ListChange, Concerns[]>()
  readonly #near = new Set<ToldChange>()
  readonly #telling = new Set<ListChange>()
  #ended = false

  /** @param toRule who may hear of what is at a URI now; undefined where everybody may */
  constructor(settings: ServerSettings, toRule: (uri: string) => Concerns | undefined = () => undefined) {
    this.#settings = settings
    this.#shares = new Shares(settings.maxListenersPerPrincipal)
    this.#toRule = toRule
  }

  /**
   * Acknowledges what will be heard and stays open until the caller goes or the server ends it.
   * @param offers the list changes this server announces
   * @param isWatchable whether there is a resource at a URI
   * @param tasks those it asked for and may hear of, as they are; it is told of them first
   */
  listen(
    call: Call,
    offers: ReadonlySet<ListChange>,
    isWatchable: (uri: string) => boolean,
    tasks: readonly DetailedTask[] = [],
  ): Promise<Result> {
    const { hears, watched } = this.#toFilter(call.params.notifications, offers, isWatchable)
    if (this.#open.size >= this.#settings.maxListeners) {
      throw new McpError('policy.limit', `Cannot listen: ${this.#settings.maxListeners} others do already`)
    }
    const shares = this.#settings.knowsCallers || !isNobody(call.principal) ? this.#shares : undefined
    if (shares?.hasRoomFor(call.principal) === false) {
      throw tooManyListen(shares)
    }
    call.interim.notify({
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications: toAcknowledged(hears, watched, tasks) },
    })
    for (const task of tasks) call.interim.notify({ method: 'notifications/tasks', params: task })
    if (this.#ended || call.cancellation.isCancelled) return Promise.resolve({})
    return new Promise((resolve) => {
      const end = () => {
        call.cancellation.unwatch(watcher)
        if (this.#open.delete(listener)) shares?.remove(principal)
        resolve({})
      }
      const ids = new Set(tasks.map(({ taskId }) => taskId))
      const { principal } = call
      const listener: Listener = { principal, hears, watched, tasks: ids, notify: (n) => call.interim.notify(n), end }
      const watcher = { cancelled: end }
      call.cancellation.watch(watcher)
      this.#open.add(listener)
      shares?.add(principal)
    })
  }

  /** Tells somebody in this process of every change, at once, until the function returned is called. */
  onChange(tell: ToldChange): () => void {
    this.#near.add(tell)
    return () => void this.#near.delete(tell)
  }

  /**
   * Changes of one turn of the event loop are told once, in the turn's microtasks.
   * @param concerns default: everybody
   */
  listChanged(change: ListChange, concerns: Concerns = everybody): void {
    this.#tellNear(change, concerns)
    if (this.#open.size === 0) return
    if (this.#pending.size === 0) queueMicrotask(() => this.#flush())
    const all = this.#pending.get(change) ?? []
    // So many at once are for everybody: who was told of each could count them.
    this.#pending.set(change, all.length < MAX_CONCERNS ? [...all, concerns] : [everybody])
  }

  /** Rules are asked again: whoever lost sight of a resource hears of it no more, and must ask anew if that returns. */
  resourceUpdated(uri: string): void {
    const notification = { method: 'notifications/resources/updated', params: { uri } }
    const mayHear = this.#toRule(uri)
    for (const listener of this.#open) {
      if (!listener.watched.has(uri)) continue
      if (mayHear === undefined || mayHear(listener.principal)) listener.notify(notification)
      else listener.watched.delete(uri)
    }
  }

  taskChanged(task: DetailedTask): void {
    const notification = { method: 'notifications/tasks', params: task }
    for (const listener of this.#open) if (listener.tasks.has(task.taskId)) listener.notify(notification)
  }

  /** Ends every open listen in order, and answers those that come later at once. */
  close(): void {
    this.#ended = true
    for (const listener of [...this.#open]) listener.end()
  }

  /** Servers that are mounted on each other would tell each other for ever. */
  #tellNear(change: ListChange, concerns: Concerns): void {
    if (this.#near.size === 0 || this.#telling.has(change)) return
    this.#telling.add(change)
    for (const tell of this.#near) tell(change, concerns)
    this.#telling.delete(change)
  }

  #flush(): void {
    const changes = [...this.#pending]
    this.#pending.clear()
    for (const listener of this.#open) {
      for (const [change, concerns] of changes) {
        if (!listener.hears.has(change) || !concerns.some((may) => may(listener.principal))) continue
        listener.notify({ method: CHANGES[change], params: {} })
      }
    }
  }

  #toFilter(
    asked: unknown,
    offers: ReadonlySet<ListChange>,
    isWatchable: (uri: string) => boolean,
  ): { readonly hears: ReadonlySet<ListChange>; readonly watched: Set<string> } {
    if (typeof asked !== 'object' || asked === null || Array.isArray(asked)) {
      throw new McpError('caller.invalid_params', 'Cannot listen without "notifications", an object that says to what')
    }
    const filter = asked as ListenFilter
    const hears = new Set([...offers].filter((change) => filter[change] === true))
    const uris: unknown = filter.resourceSubscriptions ?? []
    if (!Array.isArray(uris) || !uris.every((uri) => typeof uri === 'string')) {
      throw new McpError('caller.invalid_params', 'Cannot listen: "resourceSubscriptions" is not a list of URIs')
    }
    const { maxWatched, watching } = this.#settings
    if (uris.length > maxWatched) {
      throw new McpError('policy.limit', `Cannot watch ${uris.length} resources at once; at most ${maxWatched} work`)
    }
    return { hears, watched: new Set(watching ? uris.filter(isWatchable) : []) }
  }
}

function isNobody({ id, tenant }: Principal): boolean {
  return id === ANONYMOUS.id && tenant === ANONYMOUS.tenant
}

function everybody(): boolean {
  return true
}

/** Changes of one turn that are told apart by whom they concern. */
const MAX_CONCERNS = 64
const BY_ENDPOINT = new WeakMap<object, Listeners>()

/** Lets a server in the same process, on which this one is mounted, find its listeners. */
export function introduceListeners(endpoint: object, listeners: Listeners): void {
  BY_ENDPOINT.set(endpoint, listeners)
}

export function listenersOf(endpoint: object): Listeners | undefined {
  return BY_ENDPOINT.get(endpoint)
}

function toAcknowledged(
  hears: ReadonlySet<ListChange>,
  watched: ReadonlySet<string>,
  tasks: readonly DetailedTask[],
): ListenFilter {
  return {
    ...Object.fromEntries([...hears].map((change) => [change, true])),
    ...(watched.size === 0 ? {} : { resourceSubscriptions: [...watched] }),
    ...(tasks.length === 0 ? {} : { taskIds: tasks.map(({ taskId }) => taskId) }),
  }
}
