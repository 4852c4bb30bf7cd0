import { ALL_LISTS, toMissed } from '../bridge/standing-listen.ts'
import { McpError } from '../errors.ts'
import { isObject } from '../jsonrpc/members.ts'
import type { Call, Notification, Result } from '../protocol/call.ts'
import type { Cancellation } from '../protocol/cancellation.ts'
import { hasCapability, type ServerCapabilities } from '../protocol/capabilities.ts'
import type { ListenFilter } from '../protocol/features/subscriptions.ts'
import type { Wire } from '../transports/wire.ts'
import { WaitingChanges } from './waiting-changes.ts'

export interface ListeningOptions {
  readonly wire: Pick<Wire, 'onChange' | 'hearsChanges' | 'closed'>
  readonly capabilities: ServerCapabilities
  /** Hears of every change, whoever listens, and before them. */
  readonly changed?: ((notification: Notification) => void) | undefined
  /** Sends `resources/subscribe` or `resources/unsubscribe`; true when the server agreed. Never rejects. */
  readonly subscribe: (method: string, uri: string) => Promise<boolean>
}

interface Listener {
  readonly call: Call
  honoured: ListenFilter
  /** What came before the acknowledgement may be sent; undefined afterwards. */
  early: WaitingChanges | undefined
  readonly fail: (error: McpError) => void
}

interface Subscription {
  count: number
  agreed: Promise<boolean>
}

/**
 * `subscriptions/listen` for servers that do not have it: their list-changed notifications, and
 * `resources/subscribe` once per URI however many listen to it.
 */
export class Listening {
  readonly #options: ListeningOptions
  readonly #listeners = new Set<Listener>()
  readonly #subscriptions = new Map<string, Subscription>()

  constructor(options: ListeningOptions) {
    this.#options = options
    options.wire.onChange((notification) => {
      if (notification === undefined) {
        this.#missed()
        return
      }
      options.changed?.(notification)
      for (const listener of this.#listeners) deliver(listener, notification)
    })
    void options.wire.closed.then(({ reason }) => {
      const error = new McpError('upstream.closed', `The subscription is over: ${reason}`)
      for (const listener of this.#listeners) listener.fail(error)
    })
  }

  /** Resolves when the caller is gone; rejects when the server is. */
  async listen(call: Call): Promise<Result> {
    if (this.#listeners.size >= MAX_LISTENERS) {
      throw new McpError('policy.limit', `Cannot listen: ${MAX_LISTENERS} subscriptions are already open`)
    }
    const filter = parseFilter(call)
    let fail: Listener['fail'] = () => {}
    const lost = new Promise<never>((_, reject) => {
      fail = reject
    })
    lost.catch(() => {}) // whoever listens is told by the race below; nobody may be by then
    const honoured = this.#wish(filter)
    const uris = honoured.resourceSubscriptions ?? []
    const listener: Listener = { call, honoured, early: new WaitingChanges(honoured), fail }
    this.#listeners.add(listener)
    const cancelled = watchCancelled(call.cancellation)
    try {
      listener.honoured = await Promise.race([lost, this.#agree(listener.honoured)])
      if (!call.cancellation.isCancelled) acknowledge(listener)
      return await Promise.race([lost, cancelled.happened])
    } finally {
      this.#listeners.delete(listener)
      cancelled.unwatch()
      for (const uri of uris) this.#leave(uri)
    }
  }

  /** Somebody listens. */
  get isWanted(): boolean {
    return this.#listeners.size > 0
  }

  /** A new session knows of no subscription: they are made again, and what changed meanwhile is made up for. */
  renew(): void {
    for (const [uri, subscription] of this.#subscriptions) {
      subscription.agreed = this.#options.subscribe('resources/subscribe', uri)
    }
    this.#missed()
  }

  /** What the server could honour, as far as it says. */
  #wish(filter: ListenFilter): ListenFilter {
    const { capabilities } = this.#options
    const uris = hasCapability(capabilities, 'resources.subscribe') ? (filter.resourceSubscriptions ?? []) : []
    for (const uri of uris) this.#join(uri)
    return {
      ...(filter.toolsListChanged && hasCapability(capabilities, 'tools.listChanged') && { toolsListChanged: true }),
      ...(filter.promptsListChanged &&
        hasCapability(capabilities, 'prompts.listChanged') && { promptsListChanged: true }),
      ...(filter.resourcesListChanged &&
        hasCapability(capabilities, 'resources.listChanged') && { resourcesListChanged: true }),
      ...(uris.length > 0 && { resourceSubscriptions: uris }),
    }
  }

  /** What of it the server agreed to, and can tell us about at all. */
  async #agree(wish: ListenFilter): Promise<ListenFilter> {
    const { resourceSubscriptions: uris = [], ...flags } = wish
    const agreed = await Promise.all(uris.map((uri) => this.#subscriptions.get(uri)?.agreed))
    if (!(await this.#options.wire.hearsChanges)) return {}
    const kept = uris.filter((_, at) => agreed[at] === true)
    return kept.length === 0 ? flags : { ...flags, resourceSubscriptions: kept }
  }

  #join(uri: string): void {
    const subscription = this.#subscriptions.get(uri)
    if (subscription !== undefined) subscription.count++
    else {
      const agreed = this.#options.subscribe('resources/subscribe', uri)
      this.#subscriptions.set(uri, { count: 1, agreed })
    }
  }

  #leave(uri: string): void {
    const subscription = this.#subscriptions.get(uri)
    if (subscription === undefined || --subscription.count > 0) return
    this.#subscriptions.delete(uri)
    void subscription.agreed.then((agreed) => {
      // Somebody may have come back for it meanwhile.
      if (agreed && !this.#subscriptions.has(uri)) void this.#options.subscribe('resources/unsubscribe', uri)
    })
  }

  /** Something may have changed unheard: listeners are told of everything they asked about. */
  #missed(): void {
    for (const notification of toMissed(ALL_LISTS)) this.#options.changed?.(notification)
    for (const listener of this.#listeners) {
      for (const notification of toMissed(listener.honoured)) deliver(listener, notification)
    }
  }
}

function acknowledge(listener: Listener): void {
  const { call, honoured, early } = listener
  call.interim.notify({
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications: honoured },
  })
  listener.early = undefined
  for (const notification of early?.take() ?? []) deliver(listener, notification)
}

function deliver(listener: Listener, notification: Notification): void {
  if (!wants(listener.honoured, notification)) return
  const { early } = listener
  if (early === undefined) listener.call.interim.notify(notification)
  else early.add(notification)
}

function wants(filter: ListenFilter, { method, params }: Notification): boolean {
  if (method !== UPDATED) return FLAGS.some(([flag, name]) => name === method && filter[flag] === true)
  const { uri } = params
  // A server may name a part of what was subscribed to (2025-11-25 server/resources: subscriptions).
  return (
    typeof uri === 'string' &&
    (filter.resourceSubscriptions ?? []).some((wanted) => uri === wanted || uri.startsWith(`${wanted}/`))
  )
}

function parseFilter(call: Call): ListenFilter {
  const { notifications } = call.params
  if (!isObject(notifications)) {
    throw new McpError('caller.invalid_params', 'Cannot listen: "notifications" is not an object')
  }
  const { resourceSubscriptions: uris = [] } = notifications
  if (!Array.isArray(uris) || uris.some((uri) => typeof uri !== 'string')) {
    throw new McpError('caller.invalid_params', 'Cannot listen: "resourceSubscriptions" is not a list of URIs')
  }
  if (uris.length > MAX_URIS) {
    throw new McpError('caller.invalid_params', `Cannot listen to ${uris.length} resources; at most ${MAX_URIS} work`)
  }
  return { ...notifications, resourceSubscriptions: [...new Set(uris)] }
}

/** The same cancellation may be behind many subscriptions, one after the other: each lets go of it. */
function watchCancelled(cancellation: Cancellation): { readonly happened: Promise<Result>; unwatch(): void } {
  let tell: (result: Result) => void = () => {}
  const happened = new Promise<Result>((resolve) => {
    tell = resolve
  })
  const watcher = { cancelled: () => tell({}) }
  if (cancellation.isCancelled) watcher.cancelled()
  else cancellation.watch(watcher)
  return { happened, unwatch: () => cancellation.unwatch(watcher) }
}

const UPDATED = 'notifications/resources/updated'
const FLAGS = [
  ['toolsListChanged', 'notifications/tools/list_changed'],
  ['promptsListChanged', 'notifications/prompts/list_changed'],
  ['resourcesListChanged', 'notifications/resources/list_changed'],
] as const
const MAX_LISTENERS = 10_000
/** Resources one subscription may name. */
const MAX_URIS = 1_000
