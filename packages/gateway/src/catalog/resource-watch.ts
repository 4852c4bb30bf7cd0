import { type Clock, type Handle, type Interim, NO_INTERIM } from '@crosspoint/mcp'
import { toDelay } from '../upstreams/state.ts'
import { type Coalescer, coalesce } from './coalesce.ts'
import { type Behalf, toOwnCall } from './listing.ts'

/** Watches resources of one server for listeners who may share it: one subscription upstream, however many they are. */
export interface ResourceWatch {
  /**
   * Resolves to whether the server will tell of this resource, as far as can be known now. While the server is away
   * it is true: the watch is taken up when it is back.
   * @param hear called at most once a second, and once after every gap in which a change may have been missed
   */
  add(uri: string, hear: () => void): Promise<boolean>
  remove(uri: string, hear: () => void): void
  /** The server is there, again: subscribe anew. */
  resume(): void
  stop(): void
}

interface Watched {
  readonly hearers: Set<() => void>
  readonly updates: Coalescer
  /** What the server said about it; undefined until it said something. */
  honoured: boolean | undefined
}

export interface ResourceWatchOptions {
  /** The server of the moment, undefined while there is none. */
  readonly toHandle: () => Handle | undefined
  /** Whose subscription it is with the server. */
  readonly behalf: Behalf
  /** Told when nobody watches anything any more. */
  readonly unused?: () => void
  readonly clock: Clock
  readonly random: () => number
}

export function createResourceWatch(options: ResourceWatchOptions): ResourceWatch {
  return new Watch(options)
}

class Watch implements ResourceWatch {
  readonly #options: ResourceWatchOptions
  readonly #watched = new Map<string, Watched>()
  readonly #askers = new Set<() => void>()
  #current: AbortController | undefined
  #covered: ReadonlySet<string> = new Set()
  #opening = false
  /** Changes may have been missed since the last subscription stood. */
  #gap = false
  #failures = 0

  constructor(options: ResourceWatchOptions) {
    this.#options = options
  }

  async add(uri: string, hear: () => void): Promise<boolean> {
    if (this.#watched.size >= MAX_WATCHED && !this.#watched.has(uri)) return false
    const watched = this.#watched.get(uri) ?? this.#begin(uri)
    watched.hearers.add(hear)
    if (watched.honoured !== undefined && this.#covered.has(uri)) return watched.honoured
    this.#open()
    await new Promise<void>((resolve) => this.#askers.add(resolve))
    return watched.honoured ?? true
  }

  remove(uri: string, hear: () => void): void {
    const watched = this.#watched.get(uri)
    if (watched === undefined) return
    watched.hearers.delete(hear)
    if (watched.hearers.size > 0) return
    watched.updates.stop()
    this.#watched.delete(uri)
    if (this.#watched.size > 0) return
    this.#end()
    this.#options.unused?.()
  }

  resume(): void {
    if (this.#watched.size === 0) return
    this.#end()
    this.#gap = true
    this.#open()
  }

  stop(): void {
    this.#end()
    for (const { updates } of this.#watched.values()) updates.stop()
    this.#watched.clear()
    this.#answer()
  }

  #begin(uri: string): Watched {
    const hearers = new Set<() => void>()
    const updates = coalesce(this.#options.clock, UPDATE_MS, () => {
      for (const hear of hearers) hear()
    })
    const watched: Watched = { hearers, updates, honoured: undefined }
    this.#watched.set(uri, watched)
    return watched
  }

  #end(): void {
    this.#current?.abort()
    this.#current = undefined
    this.#covered = new Set()
  }

  /** Filters cannot be edited: the new subscription is opened, and once it stands the old one is closed. */
  #open(): void {
    if (this.#opening) return // what it does not cover is looked at when it stands
    const handle = this.#options.toHandle()
    if (handle === undefined) {
      this.#answer()
      return
    }
    this.#opening = true
    // One turn later, so that listeners who come together share one subscription.
    queueMicrotask(() => this.#subscribe(handle))
  }

  #subscribe(handle: Handle): void {
    const uris = [...this.#watched.keys()]
    const afterGap = this.#gap
    this.#gap = false
    const before = this.#current
    const controller = new AbortController()
    this.#current = controller
    let stands = false
    const settle = (honoured: ReadonlySet<string>) => {
      if (stands) return
      stands = true
      timer.cancel()
      before?.abort()
      if (this.#current === controller) this.#covered = new Set(uris)
      this.#settled(uris, honoured, afterGap)
    }
    const timer = this.#options.clock.setTimer(ACK_MS, () => settle(new Set(uris)))
    const interim: Interim = {
      ...NO_INTERIM,
      notify: ({ method, params }) => {
        if (method === 'notifications/subscriptions/acknowledged') settle(toHonoured(params.notifications))
        else if (method === 'notifications/resources/updated' && typeof params.uri === 'string')
          this.#updated(params.uri)
      },
    }
    const params = { notifications: { resourceSubscriptions: uris } }
    const ended = (failed: boolean) => {
      settle(failed ? new Set() : new Set(uris))
      if (this.#current === controller) this.#lost()
    }
    handle(toOwnCall('subscriptions/listen', params, controller.signal, interim, this.#options.behalf)).then(
      () => ended(false),
      () => ended(true),
    )
  }

  #settled(uris: readonly string[], honoured: ReadonlySet<string>, afterGap: boolean): void {
    this.#opening = false
    if (honoured.size > 0) this.#failures = 0
    for (const uri of uris) {
      const watched = this.#watched.get(uri)
      if (watched === undefined) continue
      watched.honoured = honoured.has(uri)
      if (afterGap && watched.honoured) watched.updates.trigger()
    }
    this.#answer()
    if (this.#gap || [...this.#watched.keys()].some((uri) => !this.#covered.has(uri))) this.#open()
  }

  #answer(): void {
    for (const resolve of this.#askers) resolve()
    this.#askers.clear()
  }

  /** The server ended the subscription, or is gone; {@link resume} may come first. */
  #lost(): void {
    this.#end()
    if (this.#watched.size === 0) return
    this.#failures++
    const { clock, random } = this.#options
    clock.setTimer(toDelay(this.#failures, RETRY, random), () => {
      if (this.#current !== undefined || this.#watched.size === 0) return
      this.#gap = true
      this.#open()
    })
  }

  /** A server may name a part of what was asked for. */
  #updated(uri: string): void {
    const exact = this.#watched.get(uri)
    exact?.updates.trigger()
    if (exact !== undefined) return
    for (const [wanted, { updates }] of this.#watched) if (uri.startsWith(`${wanted}/`)) updates.trigger()
  }
}

/** The watches on all servers, by the name of the server: a watch outlives a server that is replaced. */
export class Watches {
  readonly #byServer = new Map<string, Map<string, ResourceWatch>>()

  /** @param key the same for those who may share one */
  of(server: string, key: string, make: (unused: () => void) => ResourceWatch): ResourceWatch {
    const watches = this.#byServer.get(server) ?? new Map<string, ResourceWatch>()
    this.#byServer.set(server, watches)
    const known = watches.get(key)
    if (known !== undefined) return known
    const made = make(() => {
      if (watches.get(key) === made) watches.delete(key)
    })
    watches.set(key, made)
    return made
  }

  /** A server is there, again. */
  resume(server: string): void {
    for (const watch of this.#byServer.get(server)?.values() ?? []) watch.resume()
  }

  stop(): void {
    for (const watches of this.#byServer.values()) for (const watch of watches.values()) watch.stop()
    this.#byServer.clear()
  }
}

function toHonoured(notifications: unknown): ReadonlySet<string> {
  const uris = (notifications as { readonly resourceSubscriptions?: unknown } | undefined)?.resourceSubscriptions
  return new Set(Array.isArray(uris) ? uris.filter((uri) => typeof uri === 'string') : [])
}

/** Resources of one server watched at once, all listeners together. */
const MAX_WATCHED = 1_000
const UPDATE_MS = 1_000
const ACK_MS = 5_000
const RETRY = { minDelayMs: 1_000, maxDelayMs: 60_000 }
