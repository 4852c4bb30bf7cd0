import type { JsonObject } from '../jsonrpc/frame.ts'
import type { FrameLimits } from '../jsonrpc/limits.ts'
import type { Clock } from '../peer/clock.ts'
import type { Call, Handle, Principal } from '../protocol/call.ts'
import type { Implementation } from '../protocol/capabilities.ts'
import type { RevisionName } from '../revisions/index.ts'
import type { Elsewhere, HeldSessions } from './http/elsewhere/elsewhere.ts'
import type { ResumeOptions } from './http/resume/options.ts'

/**
 * A handle with what an edge needs to serve it: the same endpoint can be served over HTTP, stdio and memory, to
 * every revision. `initialize` and `server/discover` are answered from the handle's `server/discover`; legacy
 * subscriptions and list-changed notifications come from its `subscriptions/listen`.
 */
export interface Endpoint {
  readonly handle: Handle
  /**
   * Who we say we are: in `initialize` answers, and in `_meta` of results where the revision has that. May be a
   * getter, which is asked whenever a caller asks what this is.
   */
  readonly serverInfo: Implementation
  /** Revisions offered, newest first. Default: all. */
  readonly revisions?: readonly RevisionName[]
  /** Default: CALLER_LIMITS. */
  readonly limits?: FrameLimits
  /** Most requests of one session or channel at work at once; more wait in line. Default 64. */
  readonly maxConcurrent?: number
  /**
   * Most messages of one session or channel that wait: for their turn, for the handshake, or for a client that does not
   * read. Beyond it requests fail with `policy.limit`; a client that does not read either is cut off. Default 1,024.
   */
  readonly maxWaiting?: number
  /**
   * Most bytes of such messages on one channel (stdio, HTTP+SSE), a character of text counted as one; one message alone
   * may always wait. Default 16 MiB. Those of sessions over HTTP are among `maxHeldBytes` of their door.
   */
  readonly maxWaitingBytes?: number
  /**
   * Most handshake sessions alive. Beyond it the oldest that was never used makes room; where all are in use, new ones
   * are refused with 503 and Retry-After. Those over HTTP+SSE are counted apart, to the same number. Default 10,000.
   */
  readonly maxSessions?: number
  /**
   * Most handshake sessions of one principal, where callers are asked who they are. Beyond it the oldest of its own that
   * was never used makes room; then it is refused with 429 and Retry-After. Default: a tenth of `maxSessions`, and 64 at
   * least.
   */
  readonly maxSessionsPerPrincipal?: number
  /** A handshake session nobody uses ends after this. Default 30 minutes. */
  readonly sessionIdleMs?: number
  /** Most bytes waiting on one stream for a caller who does not read; beyond it the stream is cut. Default 4 MiB. */
  readonly maxStreamBytes?: number
  /** Most streams for news, opened by GET, that one session may have at once. Default 8. */
  readonly maxStreams?: number
  /**
   * Most listeners of one principal, where callers are asked who they are: `subscriptions/listen` requests and streams
   * opened by GET. Beyond it they are refused with 429 and Retry-After. Default: a quarter of all that a door or a server
   * has room for, and 64 at least.
   */
  readonly maxListenersPerPrincipal?: number
  /**
   * How streams of sessions over HTTP are kept for clients that lose them, where their revision has that: each event
   * has an id then, and a GET with `Last-Event-ID` brings the rest of its stream. `false`: nothing is kept.
   */
  readonly resume?: ResumeOptions | false
  /**
   * Told of each handshake session that has ended, over HTTP and HTTP+SSE: by its client, because nobody used it, or with
   * the door. Calls have its id as `downstream.session`, and those at work are given up before. Must not throw.
   */
  readonly sessionEnded?: (id: string) => void
  /** A call nobody answered fails after this, with `upstream.timeout`; listening has no end. Default 15 minutes. */
  readonly callTimeoutMs?: number
  /**
   * A question to the client of a session that nobody answers fails after this. The call that asked does not run out
   * of time meanwhile. Default 10 minutes.
   */
  readonly questionTimeoutMs?: number
  /** Most questions to the client of one session open at once. Default 64. */
  readonly maxQuestions?: number
  /**
   * The input schema of a tool as this caller sees it, so that `Mcp-Param-*` headers can be held against the
   * arguments. Called for each `tools/call` over HTTP: answer from what is at hand, or with a function that finds it out
   * and is called when the call's turn has come. Default: not checked.
   * @param call that will be handed to {@link Endpoint.handle}
   */
  readonly toolSchema?: (name: string, principal: Principal, call?: Call) => ToolSchema
  /**
   * Whether this caller may send a request of the endpoint's own, which no revision knows: such go to `handle` as they
   * came. Asked for names only that are not the protocol's. Default: there are none.
   */
  readonly hasMethod?: (name: string, principal: Principal) => boolean
  /**
   * Who a caller is. Default: everybody is ANONYMOUS. Receives HTTP headers in lower case. Throw to refuse the caller:
   * an `McpError`, or any error that has a `Denial` (see `./transports`) as its `challenge`, says why; others say nothing
   * of it. Whatever it returns that is no principal refuses the caller too, with 401, and the log says what is missing.
   */
  readonly authenticate?: (headers: Readonly<Record<string, string | undefined>>) => Principal | Promise<Principal>
  /**
   * All scopes that a request over HTTP needs. A caller whose principal lacks one gets 403 `insufficient_scope` with
   * all of them, whatever its revision and before anything else is answered. `params` is what came, unread; `principal` is for
   * those who need none, since they are let in by other means. Default: none are needed.
   */
  readonly scopesFor?: (
    request: { readonly method: string; readonly params: JsonObject },
    principal: Principal,
  ) => readonly string[]
  /**
   * Told that the client of a session, which declared roots, has others now (`notifications/roots/list_changed`). Never
   * throws. Default: nobody is told.
   */
  readonly rootsChanged?: (caller: Pick<Call, 'principal' | 'downstream'>) => void
  /**
   * Other processes that serve the same endpoint behind the same address, and may get any request of any client. Called
   * once for each door, with what is held here. Default: there are none.
   */
  readonly elsewhere?: ((held: HeldSessions) => Elsewhere) | undefined
  readonly clock?: Clock
  /** Told what is worth a log line: refusals, cut streams, handler failures. Never throws. */
  readonly log?: (event: EndpointEvent) => void
}

/** A tool's input schema; undefined where there is none to hold anything against. */
export type ToolSchema = JsonObject | undefined | (() => Promise<JsonObject | undefined>)

export interface EndpointEvent {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly event: string
  readonly [detail: string]: unknown
}
