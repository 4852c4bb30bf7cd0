import { McpError } from '../errors.ts'
import { shown } from '../jsonrpc/shown.ts'
import type { Caller } from '../peer/open-call.ts'
import type { Served } from '../peer/served.ts'
import type { Notification, Params } from '../protocol/call.ts'
import { hasCapability, type ServerCapabilities } from '../protocol/capabilities.ts'
import type { ListenFilter } from '../protocol/features/subscriptions.ts'
import { ALL_LISTS, StandingListen } from './standing-listen.ts'

/**
 * What an older session hears of changes. `resources/subscribe` becomes one listen per URI, and one more listen
 * brings what changed in the lists, which older clients hear without asking.
 */
export class Subscriptions {
  readonly #served: Served
  readonly #caller: Caller
  readonly #capabilities: ServerCapabilities
  readonly #tell: (notification: Notification) => void
  /** Made with the first: most sessions never watch one. */
  #resources: Map<string, StandingListen> | undefined
  #lists: StandingListen | undefined
  #isClosed = false

  constructor(
    served: Served,
    caller: Caller,
    capabilities: ServerCapabilities,
    tell: (notification: Notification) => void,
  ) {
    this.#served = served
    this.#caller = caller
    this.#capabilities = capabilities
    this.#tell = tell
  }

  /** Begins to hear of list changes, as far as the server announces any. */
  hearLists(): void {
    const filter = toListFilter(this.#capabilities)
    if (this.#isClosed || this.#lists !== undefined || filter === undefined) return
    this.#lists = new StandingListen(this.#served, this.#caller, filter, this.#tell)
    this.#lists.open().catch((error: unknown) => {
      if (!this.#isClosed) this.#served.log('warn', 'listen.refused', { error })
    })
  }

  get watched(): readonly string[] {
    return [...(this.#resources?.keys() ?? [])]
  }

  /** Goes on with what another process had: what may have been missed is told once there is a listen again. */
  restore(uris: readonly string[], hearsLists: boolean): void {
    if (hearsLists) {
      const filter = toListFilter(this.#capabilities)
      if (filter !== undefined) this.#lists = this.#again(filter)
    }
    for (const uri of uris.slice(0, MAX_SUBSCRIPTIONS)) {
      this.#resources ??= new Map()
      this.#resources.set(uri, this.#again({ resourceSubscriptions: [uri] }))
    }
  }

  /** Resolves once the URI is watched. */
  async subscribe(params: Params): Promise<void> {
    const uri = this.#parseUri(params)
    this.#resources ??= new Map()
    const resources = this.#resources
    if (resources.has(uri)) return
    if (resources.size >= MAX_SUBSCRIPTIONS) {
      throw new McpError('policy.limit', `Cannot subscribe: ${MAX_SUBSCRIPTIONS} resources are watched already`)
    }
    const filter = { resourceSubscriptions: [uri] }
    const listen = new StandingListen(this.#served, this.#caller, filter, this.#tell)
    resources.set(uri, listen)
    try {
      const honoured = await listen.open()
      if (honoured.resourceSubscriptions?.includes(uri) !== true) throw notWatchable(uri)
    } catch (error) {
      listen.close()
      if (resources.get(uri) === listen) resources.delete(uri)
      throw isUnknown(error) ? notOffered() : error
    }
  }

  unsubscribe(params: Params): void {
    const uri = this.#parseUri(params)
    this.#resources?.get(uri)?.close()
    this.#resources?.delete(uri)
  }

  close(): void {
    this.#isClosed = true
    this.#lists?.close()
    for (const listen of this.#resources?.values() ?? []) listen.close()
    this.#resources?.clear()
  }

  #again(filter: ListenFilter): StandingListen {
    const listen = new StandingListen(this.#served, this.#caller, filter, this.#tell)
    listen.again()
    return listen
  }

  #parseUri(params: Params): string {
    if (!hasCapability(this.#capabilities, 'resources.subscribe')) throw notOffered()
    if (typeof params.uri === 'string') return params.uri
    throw new McpError('caller.invalid_params', 'Cannot subscribe without "uri", a string')
  }
}

/** Undefined where no list is announced. All of them, which is usual, are the same object for every session. */
function toListFilter(capabilities: ServerCapabilities): ListenFilter | undefined {
  const tools = hasCapability(capabilities, 'tools.listChanged')
  const prompts = hasCapability(capabilities, 'prompts.listChanged')
  const resources = hasCapability(capabilities, 'resources.listChanged')
  if (tools && prompts && resources) return ALL_LISTS
  if (!tools && !prompts && !resources) return undefined
  return {
    ...(tools ? { toolsListChanged: true } : {}),
    ...(prompts ? { promptsListChanged: true } : {}),
    ...(resources ? { resourcesListChanged: true } : {}),
  }
}

function notOffered(): McpError {
  return new McpError('caller.unsupported_feature', 'Cannot subscribe: this server does not watch resources')
}

function notWatchable(uri: string): McpError {
  return new McpError('caller.invalid_params', `Cannot subscribe to "${shown(uri)}": it is not watched`, {
    data: { uri },
  })
}

function isUnknown(error: unknown): boolean {
  return error instanceof McpError && error.code === 'caller.unknown_method'
}

const MAX_SUBSCRIPTIONS = 1_024
