import {
  ANONYMOUS,
  type Call,
  type ClientCapabilities,
  cancellationOf,
  type JsonObject,
  type LogLevel,
  NEWEST,
  type Notification,
  type Principal,
} from '@crosspoint/mcp'

export interface CallOptions {
  readonly meta?: JsonObject
  /** The caller wants progress. Default true. */
  readonly progress?: boolean
  /** The caller wants log messages from this level on. Default: none. */
  readonly logLevel?: LogLevel
  /** What the caller declared. Default: nothing. */
  readonly capabilities?: ClientCapabilities
  /** Default: anonymous. */
  readonly principal?: Principal
  /** The caller can be asked while its call is open, and answers so. Default: it cannot be asked. */
  readonly ask?: Call['interim']['ask']
}

/** A call made by hand, and what was sent back while it was open. */
export interface RecordedCall {
  readonly call: Call
  readonly heard: readonly Notification[]
  /** The caller goes away. */
  abort(): void
  /** Resolves as soon as this many notifications have come. */
  untilHeard(count: number): Promise<void>
}

/** A call as an edge would make it of a request in the newest revision, for handles tested without a transport. */
export function recordCall(method: string, params: JsonObject = {}, options: CallOptions = {}): RecordedCall {
  const aborting = new AbortController()
  const heard: Notification[] = []
  const waiting = new Set<{ readonly count: number; readonly resolve: () => void }>()
  const notify = (notification: Notification) => {
    heard.push(notification)
    for (const waiter of [...waiting]) {
      if (heard.length < waiter.count) continue
      waiting.delete(waiter)
      waiter.resolve()
    }
  }
  const call: Call = {
    method,
    params,
    meta: options.meta ?? {},
    principal: options.principal ?? ANONYMOUS,
    downstream: {
      revision: NEWEST.name,
      client: undefined,
      capabilities: options.capabilities ?? {},
      session: undefined,
    },
    cancellation: cancellationOf(aborting.signal),
    deadline: undefined,
    trace: undefined,
    interim: {
      progress: options.progress ?? true,
      canAsk: options.ask !== undefined,
      logLevel: options.logLevel,
      notify,
      ask: options.ask ?? (() => Promise.reject(new Error('Nobody is there to ask'))),
    },
  }
  return {
    call,
    heard,
    abort: () => aborting.abort(),
    untilHeard: (count) =>
      heard.length >= count ? Promise.resolve() : new Promise((resolve) => void waiting.add({ count, resolve })),
  }
}
