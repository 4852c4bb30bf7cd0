import { McpError } from '../errors.ts'
import type { Id, JsonObject } from '../jsonrpc/frame.ts'
import type { Cancellation } from './cancellation.ts'
import type { ClientCapabilities, Implementation } from './capabilities.ts'
import type { LogLevel } from './features/logging.ts'

/**
 * The kernel. Inside Crosspoint there are only calls, in the newest vocabulary; connections, sessions, streams
 * and older revisions exist at the edges (see ARCHITECTURE.md).
 */

/** Request parameters without `_meta`. */
export type Params = JsonObject

/** `_meta` of a request without the keys that belong to one hop (protocol/envelope.ts has the list). */
export type Meta = JsonObject

/**
 * A result in the newest vocabulary. `resultType` absent means `complete`; the edge fills in what the caller's
 * revision requires.
 */
export interface Result extends JsonObject {
  readonly resultType?: string
  readonly _meta?: JsonObject
}

export interface Notification {
  readonly method: string
  readonly params: Params
}

/** Who is calling, as far as this hop has verified it. */
export interface Principal {
  readonly id: string
  readonly tenant: string
  /** What its token is good for; undefined where nobody said. Two principals are the same whatever their scopes. */
  readonly scopes?: readonly string[]
  /** What is said of it besides, such as `roles` and claims of its token: for rules, and never for who it is. */
  readonly attributes?: JsonObject
}

export const ANONYMOUS: Principal = Object.freeze({ id: 'anonymous', tenant: 'default' })

/** The peer a call came from. Self-declared names are for display and logs, never for a decision. */
export interface Downstream {
  readonly revision: string
  readonly client: Implementation | undefined
  readonly capabilities: ClientCapabilities
  /** Only where the caller's revision has sessions. */
  readonly session: string | undefined
}

/** W3C trace context of this call, as it goes on upstream. */
export interface Trace {
  /** 32 lower-case hex digits. */
  readonly traceId: string
  /** 16 lower-case hex digits; this hop's own span. */
  readonly spanId: string
  /** Two lower-case hex digits. Default: those of the `traceparent` that the call came with, else `01`. */
  readonly flags?: string | undefined
}

/** What a transport knows of a request beside the request itself: for traces and logs, and never for a decision. */
export interface Origin {
  /** The header `traceparent`, as it came. */
  readonly traceparent?: string | undefined
  /** A connection over a network, or a pipe with another process. */
  readonly network?: 'tcp' | 'pipe' | undefined
}

/** The way back to the caller while its call is open. */
export interface Interim {
  /** The caller wants `notifications/progress`. */
  readonly progress: boolean
  /** The caller wants `notifications/message` of at least this level. */
  readonly logLevel: LogLevel | undefined
  /**
   * Sends a notification of this call; progress carries no token here, the edge adds the caller's. What the
   * caller did not ask for or cannot understand is dropped at the edge. Never throws: a caller who is gone
   * shows on `cancellation`.
   */
  notify(notification: Notification): void
  /**
   * Lets the caller's connection go while its call goes on; the caller comes back after `retryMs` milliseconds for
   * what it has missed. Only where its revision and transport have such a thing; elsewhere there is none.
   */
  readonly pause?: ((retryMs?: number) => void) | undefined
  /**
   * `ask` reaches the caller while its call is open. Where this is false a caller is asked by the result
   * (`input_required`) and brings its answers with another call.
   */
  readonly canAsk: boolean
  /**
   * Asks the caller (sampling, elicitation, roots) and waits for the answer.
   * @param withdrawn happens when the answer is not wanted any more
   * @throws {McpError} `caller.missing_capability` where the caller did not declare it or cannot be asked.
   */
  ask(request: Notification, withdrawn?: Cancellation): Promise<Result>
}

export interface Call {
  readonly method: string
  readonly params: Params
  readonly meta: Meta
  readonly principal: Principal
  readonly downstream: Downstream
  /**
   * Happens when the caller cancels, is gone (where that means cancel) or the deadline passes. Its `signal` is an
   * AbortSignal, made for whoever reads it.
   */
  readonly cancellation: Cancellation
  /** Point on the injected clock, in milliseconds, after which nobody waits for the answer. */
  readonly deadline: number | undefined
  /**
   * Of a call without a deadline, whose time starts anew with every progress: nobody waits longer than this in all, in
   * milliseconds. Default: as the connection says that sends it.
   */
  readonly maxMs?: number | undefined
  readonly trace: Trace | undefined
  /** As its caller numbered it: for traces and logs, since callers choose the same. Absent where it came over no wire. */
  readonly id?: Id | undefined
  /** Absent where it came over no wire. */
  readonly origin?: Origin | undefined
  readonly interim: Interim
}

/** Answers one call. Throws {@link McpError} for protocol errors; a tool that fails returns `isError`. */
export type Handle<C extends Call = Call> = (call: C) => Promise<Result>

/**
 * One rule around a handle, composed once at start. A rule that does not apply returns `next(call)`.
 * `C` is what travels: a gateway's calls carry more than an edge knows.
 */
export type Interceptor<C extends Call = Call> = (next: Handle<C>) => Handle<C>

/** Puts interceptors around a handle, the first outermost. */
export function compose<C extends Call = Call>(
  interceptors: readonly Interceptor<C>[],
  innermost: Handle<C>,
): Handle<C> {
  return interceptors.reduceRight<Handle<C>>((next, interceptor) => interceptor(next), innermost)
}

/** For calls that nobody waits on in person: drops every notification and cannot be asked. */
export const NO_INTERIM: Interim = Object.freeze({
  progress: false,
  logLevel: undefined,
  canAsk: false,
  notify: () => {},
  ask: ({ method }: Notification) =>
    Promise.reject(new McpError('caller.missing_capability', `Cannot ask "${method}": nobody waits for this call`)),
})
