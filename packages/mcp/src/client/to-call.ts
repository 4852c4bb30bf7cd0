import type { JsonObject } from '../jsonrpc/frame.ts'
import type { Clock } from '../peer/clock.ts'
import { ANONYMOUS, type Call, type Downstream, type Interim } from '../protocol/call.ts'
import { type Cancellation, CancellationSource, cancellationOf } from '../protocol/cancellation.ts'
import type { ProgressParams } from '../protocol/features/base.ts'
import type { LogLevel, LogMessageParams } from '../protocol/features/logging.ts'
import type { OptionNames } from '../protocol/option-names.ts'

export interface RequestOptions {
  /** Gives the request up, and tells the server so. */
  readonly signal?: AbortSignal | undefined
  /**
   * How long to wait for the answer, whatever progress is reported. Default: `requestTimeoutMs` of the connection, which
   * progress extends.
   */
  readonly timeoutMs?: number | undefined
  /** Without `timeoutMs`: how long progress may extend the waiting in all. Default: `maxRequestMs` of the connection. */
  readonly maxRequestMs?: number | undefined
  /** Hears of progress, where the server reports any. */
  readonly onProgress?: ((progress: ProgressParams) => void) | undefined
  /** Hears the log messages of this request. */
  readonly onLog?: ((message: LogMessageParams) => void) | undefined
  /** Least severe log messages wanted. Default `info` where there is `onLog`, else none. */
  readonly logLevel?: LogLevel
  /** Travels with the request as `_meta`: trace context, keys of your own. Such a request is not answered from the cache. */
  readonly meta?: JsonObject
  /** Asks the server whatever the cache has, which then keeps the answer. Default false. */
  readonly fresh?: boolean
}

export const REQUEST_OPTIONS: OptionNames<RequestOptions> = {
  signal: true,
  timeoutMs: true,
  maxRequestMs: true,
  onProgress: true,
  onLog: true,
  logLevel: true,
  meta: true,
  fresh: true,
}

/**
 * What is called by its name or URI, for those who write it as one object as other libraries do.
 * @throws {TypeError} which shows how it is written
 */
export function checkWhat(what: unknown, usage: string): void {
  if (typeof what !== 'string') throw new TypeError(`Cannot do without a text as first argument: write ${usage}`)
}

/** What the calls of one client have in common. */
export interface CallerOptions {
  readonly downstream: Downstream
  readonly ask: Interim['ask']
  readonly clock: Clock
}

export function toCall(
  method: string,
  params: JsonObject,
  options: RequestOptions,
  { downstream, ask, clock }: CallerOptions,
): Call {
  return {
    method,
    params,
    meta: options.meta ?? {},
    principal: ANONYMOUS,
    downstream,
    cancellation: options.signal === undefined ? NEVER : cancellationOf(options.signal),
    deadline: options.timeoutMs === undefined ? undefined : clock.now() + options.timeoutMs,
    maxMs: options.maxRequestMs,
    trace: undefined,
    interim: toInterim(options, ask),
  }
}

function toInterim({ onProgress, onLog, logLevel }: RequestOptions, ask: Interim['ask']): Interim {
  return {
    progress: onProgress !== undefined,
    canAsk: true,
    logLevel: logLevel ?? (onLog === undefined ? undefined : 'info'),
    notify({ method, params }) {
      // The shapes are the protocol's; what else a server puts in is for the listener to look at.
      if (method === 'notifications/progress') onProgress?.(params as unknown as ProgressParams)
      else if (method === 'notifications/message') onLog?.(params as unknown as LogMessageParams)
    },
    ask,
  }
}

/** Of what nobody can give up. */
export const NEVER: Cancellation = new CancellationSource()
