import { McpError } from '@crosspoint/mcp'
import type { FoundSession, HeldSessions, SessionRecord } from '@crosspoint/mcp/transports'
import type { Log } from '../log.ts'
import type { ClusterKeys } from '../node/cluster-keys.ts'
import { sha256 } from '../node/sha256.ts'
import type { SessionStore } from '../stores/contract/session-store.ts'

export interface DirectoryOptions {
  readonly node: string
  readonly leaseMs: number
  readonly sessions: SessionStore
  readonly keys: ClusterKeys
  readonly log: Log
}

/** Where sessions are, as all gateways know it: what is written there is sealed, and under names that tell nothing. */
export class Directory {
  readonly #options: DirectoryOptions
  readonly #shelves = new Set<Shelf>()

  constructor(options: DirectoryOptions) {
    this.#options = options
  }

  open(scope: string, held: HeldSessions, ttlMs: () => number): Shelf {
    const shelf: Shelf = new Shelf({ ...this.#options, scope, held, ttlMs, ended: () => this.#shelves.delete(shelf) })
    this.#shelves.add(shelf)
    return shelf
  }

  /** Others have these by now. */
  lost(keys: readonly string[]): void {
    const all = new Set(keys)
    for (const shelf of this.#shelves) shelf.lost(all)
  }

  /** Nobody may know of what is here. */
  tellAll(): void {
    for (const shelf of this.#shelves) void shelf.tellAll()
  }
}

export interface ShelfOptions extends DirectoryOptions {
  readonly scope: string
  readonly held: HeldSessions
  readonly ttlMs: () => number
  readonly ended: () => void
}

/** The part of the directory that is about the sessions of one endpoint. */
export class Shelf {
  readonly #options: ShelfOptions
  #isTelling = false

  constructor(options: ShelfOptions) {
    this.#options = options
  }

  async keep(id: string, record: SessionRecord): Promise<void> {
    const { sessions, keys, node, held, log } = this.#options
    // Told when it is back, with all others.
    if (!sessions.isReady) return
    const key = this.#toKey(id)
    try {
      const text = keys.seal(`session ${key}`, JSON.stringify(record))
      if (!(await sessions.keep(key, node, text, this.#ttlMs))) held.lose(id)
    } catch (error) {
      log.warn({ error: String(error) }, 'Could not tell the cluster of a session')
    }
  }

  touch(id: string): void {
    this.#options.sessions.touch(this.#toKey(id), this.#ttlMs).catch(() => {}) // it is told again with all others
  }

  forget(id: string): void {
    const { sessions, node } = this.#options
    sessions.forget(this.#toKey(id), node).catch(() => {}) // it ends by itself
  }

  /** @throws {McpError} `policy.busy` where nobody can say */
  async find(id: string): Promise<FoundSession | undefined> {
    const { sessions, keys, leaseMs, log } = this.#options
    const key = this.#toKey(id)
    const found = await sessions.find(key, leaseMs * 2).catch((cause: unknown) => {
      throw unsure(cause)
    })
    if (found === 'unknown') return undefined
    if (found === 'unsure') throw unsure()
    const opened = keys.open(`session ${key}`, found.record)
    if (opened === undefined) {
      log.warn({}, 'A session of the cluster is sealed by another secret')
      return undefined
    }
    const { node, isAlive, era } = found
    return { node, isAlive, era, record: JSON.parse(opened.text) as SessionRecord } // one of us wrote it
  }

  async adopt(id: string, from: string): Promise<boolean> {
    const { sessions, node } = this.#options
    try {
      return await sessions.adopt(this.#toKey(id), from, node, this.#ttlMs)
    } catch (cause) {
      throw unsure(cause)
    }
  }

  lost(keys: ReadonlySet<string>): void {
    const { held } = this.#options
    for (const [id] of [...held.records()]) if (keys.has(this.#toKey(id))) held.lose(id)
  }

  async tellAll(): Promise<void> {
    if (this.#isTelling) return
    this.#isTelling = true
    const all = [...this.#options.held.records()]
    for (let at = 0; at < all.length; at += AT_ONCE) {
      await Promise.all(all.slice(at, at + AT_ONCE).map(([id, record]) => this.keep(id, record)))
    }
    this.#isTelling = false
  }

  end(): void {
    this.#options.ended()
  }

  /** Told again after a quarter of the time that a session lives unused: it outlives that with something to spare. */
  get #ttlMs(): number {
    return this.#options.ttlMs() * 2
  }

  #toKey(id: string): string {
    return sha256(`session ${this.#options.scope} ${id}`)
  }
}

function unsure(cause?: unknown): McpError {
  return new McpError('policy.busy', 'Cannot tell now where this session is; try again', { cause })
}

const AT_ONCE = 64
