import {
  type Call,
  type CancelWatcher,
  type Clock,
  type Handle,
  type ListenFilter,
  McpError,
  type Notification,
  type Principal,
  type Result,
} from '@crosspoint/mcp'
import type { Destination } from '../catalog/catalog.ts'
import { type Coalescer, coalesce } from '../catalog/coalesce.ts'
import { KINDS, type ListFlag } from '../catalog/kinds.ts'
import type { ResourceWatch } from '../catalog/resource-watch.ts'
import { toChangedKinds, type View } from '../catalog/view.ts'
import type { Passage } from '../routes/passage.ts'
import { toTaskHandle } from '../routes/task-handle.ts'
import { listenToTasks, type TaskListening } from './task-listening.ts'
import { WatchShares } from './watch-shares.ts'

export interface ListenersOptions {
  readonly clock: Clock
  /** The watch of a caller on the resources of one server; undefined where it cannot be watched. */
  readonly watchOf: (destination: Destination, call: Call) => ResourceWatch | undefined
  /** Told of each resource that is not what it was, by its server and its server's name for it. */
  readonly resourceUpdated?: (server: string, uri: string) => void
  /** Tasks made of calls here. */
  readonly tasks: { readonly handle: Handle }
  /** Brings what is asked of tasks to where they are known. Default: here. */
  readonly watched?: (handle: Handle) => Handle
  /** How long to wait before a change is told, for others that may be asked what it is to have learnt of it. Default: not at all. */
  readonly leadMs?: number
  /** Most open at once. Default 25,000: two for each handshake session, and room. */
  readonly maxListeners?: number
  /** Most resources one listener may watch. Default 1,000. */
  readonly maxWatched?: number
  /** Most tasks one listener may watch. Default 100. */
  readonly maxTasks?: number
  /** Most resources and tasks that all listeners watch together. Default 200,000; each holds some 300 bytes. */
  readonly maxWatches?: number
}

/** One `subscriptions/listen` that is open; thousands of them may be, for days, so that it is one object. */
class Listener implements CancelWatcher {
  readonly flags: ReadonlySet<ListFlag>
  /** What it was told of last, or is about to be. */
  shown: View | undefined
  /** Lists that changed for it, and it was not told of yet. */
  news: ReadonlySet<ListFlag> = NO_NEWS
  readonly #call: Passage
  readonly #resolve: (result: Result) => void
  readonly #left: (listener: Listener) => void

  constructor(
    call: Passage,
    flags: ReadonlySet<ListFlag>,
    resolve: (result: Result) => void,
    left: (listener: Listener) => void,
  ) {
    this.flags = flags
    this.shown = call.view
    this.#call = call
    this.#resolve = resolve
    this.#left = left
    call.cancellation.watch(this)
  }

  get principal(): Principal {
    return this.#call.principal
  }

  notify(notification: Notification): void {
    this.#call.interim.notify(notification)
  }

  cancelled(): void {
    this.end()
  }

  end(): void {
    this.#call.cancellation.unwatch(this)
    this.#left(this)
    this.#resolve({})
  }
}

/** Everybody who has a `subscriptions/listen` open on one endpoint. */
export class Listeners {
  readonly #options: ListenersOptions
  readonly #viewOf: (principal: Principal) => View | undefined
  readonly #open = new Set<Listener>()
  readonly #announcements = new Map<ListFlag, Coalescer>()
  readonly #shares: WatchShares
  /** Those on their way in: what they want to watch is being asked for. */
  #watching = 0
  readonly #left = (listener: Listener) => void this.#open.delete(listener)
  #ended = false

  /** @param viewOf what a caller sees now */
  constructor(options: ListenersOptions, viewOf: (principal: Principal) => View | undefined) {
    this.#options = options
    this.#viewOf = viewOf
    this.#shares = new WatchShares(options.maxWatches ?? 200_000)
    for (const { flag, changed } of Object.values(KINDS)) {
      if (!this.#announcements.has(flag)) {
        this.#announcements.set(
          flag,
          coalesce(options.clock, ANNOUNCE_MS, () => this.#announce(flag, changed), options.leadMs),
        )
      }
    }
  }

  /** Acknowledges what will be heard, and stays open until the caller goes or the endpoint ends. */
  listen(call: Passage): Promise<Result> {
    const { maxListeners = 25_000 } = this.#options
    if (this.#open.size + this.#watching >= maxListeners) {
      return Promise.reject(new McpError('policy.limit', `Cannot listen: ${maxListeners} others do already`))
    }
    try {
      const { flags, uris, taskIds } = this.#parse(call.params.notifications, call)
      if (uris.length > 0 || taskIds !== undefined) return this.#listenToSome(call, flags, uris, taskIds)
      // Nothing is to be undone: nothing waits for the end of most listeners, and nothing is held for that.
      acknowledge(call, flags, [])
      return this.#stay(call, flags)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async #listenToSome(
    call: Passage,
    flags: ReadonlySet<ListFlag>,
    uris: readonly string[],
    taskIds: unknown,
  ): Promise<Result> {
    const release: (() => void)[] = []
    try {
      release.push(this.#shares.take(call, uris.length + (Array.isArray(taskIds) ? taskIds.length : 0)))
      this.#watching++
      const asked = Promise.all([this.#watch(uris, call, release), this.#listenToTasks(taskIds, call, release)])
      const [watched, tasks] = await asked.finally(() => this.#watching--)
      acknowledge(call, flags, watched, tasks?.taskIds)
      tasks?.begin()
      return await this.#stay(call, flags)
    } finally {
      for (const undo of release) undo()
    }
  }

  /** How many there are. */
  get size(): number {
    return this.#open.size
  }

  /** Something changed: those are told for whom a list is another. */
  look(): void {
    const compared = new Map<View, { readonly after: View; readonly flags: ReadonlySet<ListFlag> }>()
    const changed = new Set<ListFlag>()
    for (const listener of this.#open) {
      const [before, after] = [listener.shown, this.#viewOf(listener.principal)]
      if (before === after || before === undefined || after === undefined) continue
      let comparison = compared.get(before)
      if (comparison?.after !== after) {
        comparison = { after, flags: toShared(toChangedFlags(before, after)) }
        compared.set(before, comparison)
      }
      listener.shown = after
      listener.news = listener.news.size === 0 ? comparison.flags : toShared([...listener.news, ...comparison.flags])
      for (const flag of comparison.flags) changed.add(flag)
    }
    for (const flag of changed) this.#announcements.get(flag)?.trigger()
  }

  /** Ends every open listen in order; those that come later end at once, after their acknowledgement. */
  close(): void {
    this.#ended = true
    for (const announcement of this.#announcements.values()) announcement.stop()
    for (const listener of [...this.#open]) listener.end()
  }

  reopen(): void {
    this.#ended = false
  }

  #announce(flag: ListFlag, method: string): void {
    for (const listener of this.#open) {
      if (!listener.news.has(flag)) continue
      listener.news = toShared([...listener.news].filter((other) => other !== flag))
      if (listener.flags.has(flag)) listener.notify({ method, params: {} })
    }
  }

  /** Resolves to the URIs, as the caller wrote them, that will really be watched. */
  async #watch(uris: readonly string[], call: Passage, release: (() => void)[]): Promise<readonly string[]> {
    const answers = uris.map(async (uri) => {
      const address = call.view.book.find(uri)
      const watch = address === undefined ? undefined : this.#options.watchOf(address.source.destination, call)
      if (address === undefined || watch === undefined) return undefined
      const hear = () => {
        this.#options.resourceUpdated?.(address.source.destination.name, address.native)
        // It may have been hidden from this caller since.
        if (this.#viewOf(call.principal)?.book.find(uri) === undefined) return
        call.interim.notify({ method: 'notifications/resources/updated', params: { uri } })
      }
      release.push(() => watch.remove(address.native, hear))
      return (await watch.add(address.native, hear)) ? uri : undefined
    })
    return (await Promise.all(answers)).filter((uri) => uri !== undefined)
  }

  /** @throws {McpError} `caller.missing_capability` for a caller who declared no tasks with this very request */
  async #listenToTasks(ids: unknown, call: Passage, release: (() => void)[]): Promise<TaskListening | undefined> {
    if (ids === undefined) return undefined
    const { clock, tasks, maxTasks: max = 100, watched } = this.#options
    const here = toTaskHandle(call, tasks.handle)
    const handle = watched === undefined ? here : watched(here)
    const listening = await listenToTasks(call, ids, { clock, max, handle })
    release.push(() => listening.end())
    return listening
  }

  #stay(call: Passage, flags: ReadonlySet<ListFlag>): Promise<Result> {
    if (this.#ended || call.cancellation.isCancelled) return Promise.resolve({})
    return new Promise((resolve) => {
      this.#open.add(new Listener(call, flags, resolve, this.#left))
    })
  }

  #parse(asked: unknown, { view, permitted }: Passage): Asked {
    if (typeof asked !== 'object' || asked === null || Array.isArray(asked)) {
      throw new McpError('caller.invalid_params', 'Cannot listen without "notifications", an object that says to what')
    }
    const filter = asked as ListenFilter
    const offered = Object.values(KINDS).filter(
      ({ capability }) => view.discover.capabilities[capability] !== undefined,
    )
    const flags = toShared(offered.map(({ flag }) => flag).filter((flag) => filter[flag] === true))
    const uris: unknown = filter.resourceSubscriptions ?? []
    if (!Array.isArray(uris) || !uris.every((uri) => typeof uri === 'string')) {
      throw new McpError('caller.invalid_params', 'Cannot listen: "resourceSubscriptions" is not a list of URIs')
    }
    const { maxWatched = 1_000 } = this.#options
    if (uris.length > maxWatched) {
      throw new McpError('policy.limit', `Cannot watch ${uris.length} resources at once; at most ${maxWatched} work`)
    }
    // Its news has the answer in it: where rules look at answers, it is asked for.
    const isTold = view.methods.has('tasks/get') && permitted?.caller.permit.policy.checksResults !== true
    const taskIds = isTold ? filter.taskIds : undefined
    return { flags, uris: [...new Set(uris)], taskIds }
  }
}

interface Asked {
  readonly flags: ReadonlySet<ListFlag>
  readonly uris: readonly string[]
  /** Looked at where they are listened to; undefined where there are no tasks. */
  readonly taskIds: unknown
}

function acknowledge(
  call: Passage,
  flags: ReadonlySet<ListFlag>,
  watched: readonly string[],
  taskIds: readonly string[] = [],
): void {
  const notifications: ListenFilter = {
    ...Object.fromEntries([...flags].map((flag) => [flag, true])),
    ...(watched.length === 0 ? {} : { resourceSubscriptions: watched }),
    ...(taskIds.length === 0 ? {} : { taskIds }),
  }
  call.interim.notify({ method: 'notifications/subscriptions/acknowledged', params: { notifications } })
}

function toChangedFlags(before: View, after: View): readonly ListFlag[] {
  return toChangedKinds(before, after).map((kind) => KINDS[kind].flag)
}

/** The same set for the same flags, of which there are few. */
function toShared(all: readonly ListFlag[]): ReadonlySet<ListFlag> {
  const flags = [...new Set(all)].sort()
  const key = flags.join()
  const shared = sets.get(key) ?? new Set(flags)
  sets.set(key, shared)
  return shared
}

const NO_NEWS: ReadonlySet<ListFlag> = new Set()
const sets = new Map<string, ReadonlySet<ListFlag>>([['', NO_NEWS]])
/** However many servers change at once, a listener hears of each list at most once in this time. */
const ANNOUNCE_MS = 1_000
