import type { FrameLimits } from '../jsonrpc/limits.ts'
import type { Clock } from '../peer/clock.ts'
import type { Handle, Notification, Result } from '../protocol/call.ts'
import type { Cancellation } from '../protocol/cancellation.ts'
import type { ClientCapabilities, Implementation, ServerCapabilities } from '../protocol/capabilities.ts'
import type { RevisionName } from '../revisions/index.ts'
import type { Channel } from '../transports/channel.ts'
import type { Authorization } from '../transports/http/authorization.ts'
import type { Closed } from '../transports/wire.ts'

export type { Closed } from '../transports/wire.ts'

/** Whom to connect to. */
export type Target =
  | {
      readonly kind: 'stdio'
      readonly command: string
      readonly args?: readonly string[]
      /** The whole environment of the child: nothing of ours is added. */
      readonly env?: Readonly<Record<string, string>>
      readonly cwd?: string
    }
  | {
      readonly kind: 'http'
      /** An http or https URL, or `unix:/run/x.sock`, with a path where it is not `/mcp`: `unix:/run/x.sock:/tools`. */
      readonly url: string
      /**
       * `sse`: HTTP+SSE, the transport of the oldest revision, and no other. Default: Streamable HTTP, and HTTP+SSE
       * for a server that does not take a POST there.
       */
      readonly transport?: 'sse'
      /** Sent with every request, to this origin only. */
      readonly headers?: Readonly<Record<string, string>>
      /** Credentials for every request; see {@link ConnectionOptions.authorization}, over which it takes precedence. */
      readonly authorization?: Authorization
    }
  | { readonly kind: 'channel'; readonly channel: Channel }

/**
 * What was found out about a server's era, and when. Handed back in, one of a handshake revision skips the probe for as
 * long as it is fresh; it keeps its date then, so that the server is probed again in time. In the newest revision the
 * probe is `server/discover`, which is asked for what the server is, whether there is a verdict or not.
 */
export interface Verdict {
  readonly revision: string
  /** The server was reached over HTTP+SSE. */
  readonly transport?: 'sse'
  /** When the server was last probed, in ISO 8601. */
  readonly at: string
}

export interface ConnectionOptions {
  /**
   * What the server is called in the messages of errors, where those reach people who are not to learn what runs it, or
   * where. Default: its program and script, or its host.
   */
  readonly name?: string
  /** Who we say we are. Default: `crosspoint`, which says nothing about your program. */
  readonly client?: Implementation
  /** What we can do for the server when it asks. Default: nothing. */
  readonly capabilities?: ClientCapabilities
  /** Speak this revision and no other. Default: the newest both sides have. */
  readonly revision?: RevisionName
  /** A remembered verdict; one of a handshake revision older than a day is probed again. */
  readonly verdict?: Verdict
  /** Default: UPSTREAM_LIMITS. */
  readonly limits?: FrameLimits
  /**
   * For who passes results on: those of `tools/call`, `resources/read` and `prompts/get` whose message has at least so
   * many bytes are not parsed. They are objects like any other, whose large members are read when somebody reads them; an
   * edge of ours writes them as they came. Integers of any size survive so. Default: none are relayed.
   */
  readonly relayFromBytes?: number
  /** Gives up an attempt that is under way; an open connection is ended by `close`. */
  readonly signal?: AbortSignal
  /**
   * Signs in to an HTTP server that asks for it: what `@crosspoint/auth` makes, or anything of the same shape. Default:
   * nothing, and a server that wants a sign-in fails with `upstream.unauthorized`.
   */
  readonly authorization?: Authorization
  /** Until the connection is open, probe included; while a person signs in, it does not run. Default 30 s. */
  readonly connectTimeoutMs?: number
  /** How long a stdio server may stay silent when probed, before it counts as one of a handshake revision. Default 5 s. */
  readonly probeTimeoutMs?: number
  /**
   * A call without a deadline of its own waits this long. Default 60 s; progress extends it, and every such call asks
   * for progress, whether anybody listens to it or not. A function is asked for every call as it is sent, so that the
   * time can change while the connection stays.
   */
  readonly requestTimeoutMs?: number | (() => number)
  /**
   * But no longer than this in all, in milliseconds, whatever progress is reported and whoever is asked something
   * meanwhile: such a call fails with `upstream.timeout`. Default: 1 hour, or `requestTimeoutMs` where that is longer.
   */
  readonly maxRequestMs?: number | (() => number)
  /** After closing stdin, and again after TERM, a child gets this long. Default 2 s. */
  readonly killGraceMs?: number
  /** Most requests in flight; one more is refused with `policy.limit`. Default 1,024. */
  readonly maxInFlight?: number
  /** Most sockets for calls to one HTTP server; more calls wait for one. Default 64. */
  readonly maxSockets?: number
  /** Answers what the server asks outside of any call or that no call claims. Default: refused with -32601. */
  readonly ask?: (request: Notification, withdrawn?: Cancellation) => Promise<Result>
  /** Notifications that belong to no call: log messages without a home. Default: dropped. */
  readonly stray?: (notification: Notification) => void
  /**
   * Hears of every change that a server of a handshake revision tells of, whether anybody listens to it or not. After a
   * gap each list counts as changed. Default: only those hear who listen.
   */
  readonly changed?: (notification: Notification) => void
  /** Lines a child writes to stderr, cut at 8 KiB. */
  readonly stderr?: (line: string) => void
  /** Faults the connection survived: noise on stdout, unknown frames. */
  readonly fault?: (reason: string, sample: string) => void
  /**
   * Told once of each tool that was left out of the lists since the protocol wants it: one with an `x-mcp-header` that is not
   * valid, from a server that would need the header (2026-07-28 server/tools). Default: told as a fault.
   */
  readonly leftOut?: (reason: string) => void
  readonly clock?: Clock
}

/**
 * A live conversation with one server, in the newest vocabulary whatever it speaks: `handle` takes canonical
 * calls, `server/discover` and `subscriptions/listen` included, which older servers do not have.
 */
export interface Connection {
  readonly handle: Handle
  /** The revision spoken, and when the server was last probed for it. */
  readonly verdict: Verdict
  readonly serverInfo: Implementation | undefined
  readonly capabilities: ServerCapabilities
  readonly instructions: string | undefined
  /** Settles when the conversation is over, never rejects. HTTP servers without sessions have no end of their own. */
  readonly closed: Promise<Closed>
  /** Tells the server something, where its revision has a word for it. Never rejects. */
  tell(notification: Notification): Promise<void>
  close(): Promise<void>
  /** Closes it where a block with `await using` is left. */
  [Symbol.asyncDispose](): Promise<void>
}
