import { ALL_LISTS } from '../../bridge/standing-listen.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { isObject } from '../../jsonrpc/members.ts'
import type { Clock, Timer } from '../../peer/clock.ts'
import type { Call, Handle, Principal, Result } from '../../protocol/call.ts'
import type { ListenFilter } from '../../protocol/features/subscriptions.ts'
import { toMergedNames } from '../../protocol/merged-names.ts'
import { hasTrail, Marks, toTrail, withTrail } from '../../protocol/trail.ts'
import type { Endpoint, EndpointEvent, ToolSchema } from '../../transports/endpoint.ts'
import { CHANGES, type Concerns, LIST_CHANGES, type ListChange, listenersOf } from '../listeners.ts'
import { Failures } from './failures.ts'
import { type KeptListening, keepListening } from './keep-listening.ts'
import { KeptLists } from './kept-lists.ts'
import { ALL_KINDS, type Item, KINDS, type Kind } from './kinds.ts'
import { listAll } from './list-all.ts'
import { OWN_CALL, toOwnCall, withoutTasks } from './own-call.ts'
import { Patience } from './patience.ts'
import { openWatch, type Watch } from './watch.ts'

/** What can be mounted: a server, what `connectTo` returns, or anything else with an endpoint. */
export interface Mountable {
  readonly endpoint: Pick<Endpoint, 'handle' | 'toolSchema'>
  /** Every caller sees the same through it, as through one connection: what it offers is kept until it changes. */
  readonly shared?: boolean
}

export interface MountOptions {
  readonly name: string
  readonly target: Mountable
  /** Of the server it is mounted on. */
  readonly id: string
  readonly clock: Clock
  readonly log: (event: EndpointEvent) => void
  /** Names of tools and prompts that the server itself has. */
  readonly isTaken: (kind: Kind, name: string) => boolean
  readonly changed: (change: ListChange, concerns?: Concerns) => void
}

/** A thing of a mounted server. */
export interface Entry {
  readonly mount: Mount
  readonly native: string
  /** As its server listed it. */
  readonly item: Item
}

/** One server in another. Whatever goes wrong with it stays with it: it is left out, and the log says why. */
export class Mount {
  readonly name: string
  readonly #options: MountOptions
  readonly #handle: Handle
  /** Of the servers with mounts behind it. */
  readonly marks = new Marks()
  readonly #kept: KeptLists
  /** Names made of a list, as long as the list is the same object. */
  readonly #named = new WeakMap<readonly Item[], ReadonlyMap<string, Entry>>()
  /** What was found out for a call before it is answered. */
  readonly #found = new WeakMap<Call, Promise<ReadonlyMap<string, Entry>>>()
  /** What is heard on behalf of callers. */
  readonly #watches = new Set<() => void>()
  /** What it is, as it said last; undefined while that is not known. */
  met: Result | undefined
  readonly #failures: Failures
  /** With its lists, by whose and of what. */
  readonly #patience: Patience
  /** Changes heard of less than a second ago, and those heard of again since. */
  readonly #resting = new Map<ListChange, Timer>()
  readonly #again = new Set<ListChange>()
  #listening: KeptListening | undefined
  #heard: ListenFilter = {}
  #isClosed = false

  constructor(options: MountOptions) {
    this.name = options.name
    this.#options = options
    this.#failures = new Failures(options.name, options.log)
    this.#patience = new Patience(options.clock)
    this.#handle = async (call) => options.target.endpoint.handle(call)
    this.#kept = new KeptLists({
      clock: options.clock,
      id: options.id,
      marks: this.marks,
      isTold: (kind) => kind !== 'discover' && this.#heard[KINDS[kind].change] === true,
    })
    if (listenersOf(options.target.endpoint) !== undefined) this.listen()
  }

  /** Begins to hear of changes. What was missed meanwhile counts as changed. */
  listen(): void {
    if (this.#listening !== undefined || this.#isClosed) return
    const near = listenersOf(this.#options.target.endpoint)
    if (near !== undefined) {
      this.#listening = { close: near.onChange((change, concerns) => this.#options.changed(change, concerns)) }
      return
    }
    let isFirst = true
    this.#listening = NOT_YET // who is asked may come back here at once
    this.#listening = keepListening({
      handle: this.#handle,
      filter: ALL_LISTS,
      clock: this.#options.clock,
      trail: [this.#options.id],
      acknowledged: (filter) => {
        this.#heard = filter
        if (!isFirst) for (const change of LIST_CHANGES) this.#hear(change)
        isFirst = false
      },
      heard: ({ method }) => {
        const change = LIST_CHANGES.find((one) => CHANGES[one] === method)
        if (change !== undefined) this.#hear(change)
      },
    })
  }

  /** Hears of nothing more, for itself or on behalf of callers, and keeps nothing. Calls at work go on. */
  close(): void {
    this.#isClosed = true
    this.#listening?.close()
    for (const end of [...this.#watches]) end()
    for (const timer of this.#resting.values()) timer.cancel()
    this.#resting.clear()
    this.#again.clear()
    this.#kept.clear()
    this.#patience.clear()
  }

  /** Its tools or prompts, under the names they have here. */
  async named(kind: 'tools' | 'prompts', call: Call): Promise<ReadonlyMap<string, Entry>> {
    const found = kind === 'tools' ? this.#found.get(call) : undefined
    return found ?? this.#toEntries(kind, await this.list(kind, call))
  }

  #toEntries(kind: 'tools' | 'prompts', items: readonly Item[]): ReadonlyMap<string, Entry> {
    const known = this.#named.get(items)
    if (known !== undefined) return known
    const natives = items.map((item) => ({ server: this.name, native: String(item[KINDS[kind].key]) }))
    const names = toMergedNames(natives, toDigest, (name) => this.#options.isTaken(kind, name))
    const entries = new Map(
      items.map((item, at) => [names[at] ?? '', { mount: this, native: natives[at]?.native ?? '', item }]),
    )
    if (items.length > 0) this.#named.set(items, entries)
    return entries
  }

  /** What it lists to this caller; nothing where it fails. Rejects only where the call goes round in a circle. */
  async list(kind: Kind, call: Call): Promise<readonly Item[]> {
    const trail = toTrail(call, this.#options.id)
    const whose =
      this.#options.target.shared === true ? kind : JSON.stringify([kind, call.principal.tenant, call.principal.id])
    if (this.#patience.isTriedBy(whose)) return NOTHING
    try {
      const items = await this.#keep(kind, call, trail, (own) =>
        this.#patience.wait(KINDS[kind].method, listAll(this.#handle, kind, own, this.marks), whose),
      )
      if (trail.length === 1) this.#failures.recovered(kind)
      return items
    } catch (error) {
      if (trail.length === 1) this.#failures.failed(kind, error)
      else this.#failures.cut(kind, error)
      return NOTHING
    }
  }

  /**
   * What it is, as far as that is known. Nobody waits for a connection to be opened: whoever opens one asks this first,
   * and servers may be mounted on each other. Rejects only where the call goes round in a circle.
   */
  async discover(call: Call): Promise<Result | undefined> {
    const trail = toTrail(call, this.#options.id)
    const asked = this.#keep('discover', call, trail, async (own) => [
      await this.#patience.wait('server/discover', this.#handle({ ...own, method: 'server/discover', params: {} })),
    ]).then(
      ([result]) => {
        this.#failures.recovered('discover')
        this.met = result
      },
      (error: unknown) => {
        this.#failures.failed('discover', error)
        this.met = undefined
      },
    )
    if (this.#options.target.shared !== true) await asked
    return this.met
  }

  /** What was found out before a call is answered need not be asked for again when it is. */
  async #find(call: Call): Promise<ReadonlyMap<string, Entry>> {
    const found = this.list('tools', call).then((items) => this.#toEntries('tools', items))
    this.#found.set(call, found)
    return found
  }

  /**
   * The input schema of a tool as this caller sees it. Where it is not at hand the list is asked for, as the call itself
   * would ask for it, and once for both.
   * @param call whose arguments are to be held against it
   */
  toolSchema(name: string, principal: Principal, call: Call | undefined): ToolSchema {
    const { endpoint, shared } = this.#options.target
    // Whoever sees a tool whose name needed no change sees it by this name.
    const near = endpoint.toolSchema?.(name.slice(this.name.length + 2), principal)
    if (near !== undefined && typeof near !== 'function') return near
    const kept = shared === true && (call === undefined || !hasTrail(call)) ? this.#kept.peek('tools') : undefined
    if (kept !== undefined) return schemaOf(this.#toEntries('tools', kept).get(name))
    return call === undefined ? undefined : async () => schemaOf((await this.#find(call)).get(name))
  }

  /** Why it offers nothing of a kind; undefined where it does not fail. */
  failureOf(kind: Kind): string | undefined {
    return this.#failures.reasonOf(kind)
  }

  /**
   * Hands a caller's call on. Its deadline stays behind: the edge keeps it and cancels. Tasks stay behind too: their
   * ids would lead nowhere here.
   */
  forward(call: Call, params: JsonObject): Promise<Result> {
    const { method, meta, principal, downstream, cancellation, trace, interim } = call
    return this.#handle({
      method,
      params,
      meta: withTrail(meta, toTrail(call, this.#options.id)),
      principal,
      downstream: withoutTasks(downstream),
      cancellation,
      deadline: undefined,
      trace,
      interim,
    })
  }

  /** Watches resources of it on behalf of a caller, until closed. */
  async watch(call: Call, uris: readonly string[], tell: (native: string) => void): Promise<Watch> {
    const { clock, id } = this.#options
    const trail = toTrail(call, id)
    if (this.#isClosed) return { honoured: [], close() {} }
    const { ready, end } = openWatch({ handle: this.#handle, clock, call, trail, uris, tell })
    const close = () => {
      this.#watches.delete(close)
      end()
    }
    this.#watches.add(close)
    return { ...(await ready), close }
  }

  /** What every caller sees is kept; anything else is asked for anew, on behalf of who calls. */
  #keep(
    kind: Kind | 'discover',
    call: Call,
    trail: readonly string[],
    ask: (own: Call) => Promise<readonly Item[]>,
  ): Promise<readonly Item[]> {
    if (this.#options.target.shared !== true) return ask(toOwnCall(call, trail))
    this.listen()
    return this.#kept.list(kind, trail, (to) => ask(toOwnCall(OWN_CALL, to)))
  }

  /**
   * A server elsewhere says that a list changed: it is looked at, and told on where it did. Otherwise servers that are
   * mounted on each other would tell each other for ever. At most once a second, however often it is said.
   */
  #hear(change: ListChange): void {
    if (this.#resting.has(change)) {
      this.#again.add(change)
      return
    }
    const { clock, target, changed } = this.#options
    const rested = () => {
      this.#resting.delete(change)
      if (this.#again.delete(change)) this.#hear(change)
    }
    this.#resting.set(change, clock.setTimer(REST_MS, rested))
    if (target.shared !== true) changed(change)
    else void this.#refresh(change).then((isOther) => isOther && !this.#isClosed && changed(change))
  }

  /** Lists anew what was kept, and says whether it is another list now. */
  async #refresh(change: ListChange): Promise<boolean> {
    this.#kept.forget('discover')
    const kinds = ALL_KINDS.filter((kind) => KINDS[kind].change === change)
    const changes = kinds.map(async (kind) => {
      const before = await this.#kept.before(kind)
      this.#kept.forget(kind)
      const after = await this.list(kind, OWN_CALL)
      return JSON.stringify(before) !== JSON.stringify(after)
    })
    return (await Promise.all(changes)).includes(true)
  }
}

function schemaOf(entry: Entry | undefined): JsonObject | undefined {
  const schema = entry?.item.inputSchema
  return isObject(schema) ? schema : undefined
}

/** FNV-1a, 32 bits: tells names apart, and no more than that. */
function toDigest(text: string): string {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}

const NOT_YET: KeptListening = Object.freeze({ close() {} })
const NOTHING: readonly Item[] = Object.freeze([])
const REST_MS = 1_000
