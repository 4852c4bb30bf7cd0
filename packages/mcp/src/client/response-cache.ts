import { isRetryable } from '../errors.ts'
import type { Clock } from '../peer/clock.ts'
import type { Call, Handle, Notification, Result } from '../protocol/call.ts'
import { METHODS } from '../protocol/methods.ts'
import { CacheStore } from './cache-store.ts'

/**
 * Where public responses may be kept for more than one connection. What a server calls public may be given to
 * anybody, whoever they are signed in as; anything else never gets here. A port that fails is as good as empty.
 */
export interface SharedCache {
  get(key: string): string | undefined | Promise<string | undefined>
  /** @param ttlMs after which it must not be given any more */
  set(key: string, text: string, ttlMs: number): void | Promise<void>
  delete(key: string): void | Promise<void>
}

export interface CacheOptions {
  /** Responses kept; the one not used for longest makes room. Default 1,000. */
  readonly maxEntries?: number
  /** What they hold together, two bytes a character; a larger one is not kept. Default 16 MiB. */
  readonly maxBytes?: number
  /** However long a server says. Default 24 h. */
  readonly maxTtlMs?: number
  /**
   * Gives a response that is out of date, by no more than `maxTtlMs`, where the server cannot be reached. Default
   * false.
   */
  readonly staleIfError?: boolean
  /** Default: none, everything is kept for this connection alone. */
  readonly shared?: SharedCache
}

export interface ResponseCacheOptions extends CacheOptions {
  readonly clock: Clock
  /** Which server and revision this is, among those that share; undefined keeps everything to this connection. */
  readonly where: string | undefined
}

/**
 * Responses kept for as long as their server says (2026-07-28 server/utilities/caching): of `server/discover`, the
 * lists and `resources/read`, page by page. Results of calls that were asked back are never kept, and a change that
 * is heard of makes what it is about be forgotten at once.
 */
export class ResponseCache {
  readonly #store: CacheStore
  readonly #shared: SharedCache | undefined
  readonly #where: string
  readonly #maxTtlMs: number
  readonly #staleIfError: boolean
  /** Counts changes by method, so that an answer that was under way during one is not kept. */
  readonly #changes = new Map<string, number>()
  /** Lists of which a page was private: then all of them are. */
  readonly #private = new Set<string>()

  constructor({ clock, where, shared, maxTtlMs = DAY_MS, staleIfError = false, ...bounds }: ResponseCacheOptions) {
    this.#shared = where === undefined ? undefined : shared
    this.#where = where ?? ''
    this.#maxTtlMs = maxTtlMs
    this.#staleIfError = staleIfError
    this.#store = new CacheStore({
      clock,
      maxEntries: bounds.maxEntries ?? 1_000,
      maxBytes: bounds.maxBytes ?? 16 * 1024 * 1024,
      keepStaleMs: staleIfError ? maxTtlMs : 0,
    })
  }

  /**
   * The handle, with answers of the cache where there are any.
   * @param fresh asks the server whatever is kept, and keeps what it says
   */
  around(next: Handle, fresh = false): Handle {
    return async (call) => {
      const key = toKey(call)
      if (key === undefined) return next(call)
      const kept = fresh ? undefined : (this.#store.read(key) ?? (await this.#readShared(key)))
      return kept === undefined ? this.#fetch(next, call, key) : (JSON.parse(kept) as Result) // written by us
    }
  }

  /** Something changed: what is kept about it is forgotten. */
  forget({ method, params }: Notification): void {
    for (const about of CHANGED.get(method) ?? []) {
      this.#changes.set(about, this.#changesOf(about) + 1)
      for (const [key, uri] of this.#store.keysOf(about)) {
        if (method === UPDATED && !isAbout(String(params.uri), String(uri))) continue
        this.#store.delete(key)
        void attempt(() => this.#shared?.delete(this.#where + key))
      }
    }
  }

  async #fetch(next: Handle, call: Call, key: string): Promise<Result> {
    const changes = this.#changesOf(call.method)
    let result: Result
    try {
      result = await next(call)
    } catch (error) {
      const stale = this.#staleIfError && isRetryable(error) ? this.#store.readStale(key) : undefined
      if (stale === undefined) throw error
      return JSON.parse(stale) as Result // written by us
    }
    if (changes === this.#changesOf(call.method)) this.#keep(call, key, result)
    return result
  }

  #keep({ method, params: { uri } }: Call, key: string, result: Result): void {
    const { resultType = 'complete', ttlMs, cacheScope } = result
    if (resultType !== 'complete') return
    const ttl = typeof ttlMs === 'number' && ttlMs > 0 ? Math.min(ttlMs, this.#maxTtlMs) : 0
    if (cacheScope !== 'public') this.#private.add(method)
    if (ttl === 0) {
      this.#store.delete(key)
      return
    }
    const text = JSON.stringify(result)
    this.#store.write(key, text, ttl, typeof uri === 'string' ? uri : undefined)
    if (!this.#private.has(method)) void attempt(() => this.#shared?.set(this.#where + key, text, ttl))
  }

  async #readShared(key: string): Promise<string | undefined> {
    return this.#shared === undefined ? undefined : attempt(() => this.#shared?.get(this.#where + key))
  }

  #changesOf(method: string): number {
    return this.#changes.get(method) ?? 0
  }
}

/** Undefined for what is not cacheable: other methods, retries with answers, calls with a `_meta` of their own. */
function toKey({ method, params, meta }: Call): string | undefined {
  if (METHODS.get(method)?.cacheable !== true) return undefined
  if (params.inputResponses !== undefined || params.requestState !== undefined) return undefined
  return Object.keys(meta).length > 0 ? undefined : `${method} ${JSON.stringify(params)}`
}

/** A server may name a part of what it was asked about, or the whole of what a part was read of. */
function isAbout(changed: string, read: string): boolean {
  return changed === read || changed.startsWith(`${read}/`) || read.startsWith(`${changed}/`)
}

/** A cache that fails must not make a call fail. */
async function attempt<T>(run: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await run()
  } catch {
    return undefined
  }
}

const UPDATED = 'notifications/resources/updated'
const CHANGED: ReadonlyMap<string, readonly string[]> = new Map([
  ['notifications/tools/list_changed', ['tools/list']],
  ['notifications/prompts/list_changed', ['prompts/list']],
  ['notifications/resources/list_changed', ['resources/list', 'resources/templates/list']],
  [UPDATED, ['resources/read']],
])
const DAY_MS = 24 * 60 * 60 * 1_000
