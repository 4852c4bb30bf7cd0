import type { JsonObject } from '../jsonrpc/frame.ts'
import type { FrameLimits } from '../jsonrpc/limits.ts'
import type { Clock } from '../peer/clock.ts'
import type { Answer } from '../peer/pending.ts'
import type { Notification, Result } from '../protocol/call.ts'
import type { Cancellation } from '../protocol/cancellation.ts'
import type { ClientCapabilities } from '../protocol/capabilities.ts'
import type { Outgoing } from '../protocol/envelope.ts'
import type { Revision } from '../revisions/revision.ts'

/** The end of a connection. */
export interface Closed {
  /** One sentence for people: exit code or signal for a child, the failure for a stream. */
  readonly reason: string
  /** True when we closed it ourselves. */
  readonly asked: boolean
}

/**
 * Hears of changes (`list_changed`, `resources/updated`) where the revision has no subscriptions to carry them;
 * undefined says that some may have been missed.
 */
export type ChangeListener = (notification: Notification | undefined) => void

/**
 * The client's end of a way to one server: sends requests in the server's own revision and brings back answers.
 * Which revision that is, is found out above; a wire only knows how requests travel.
 */
export interface Wire {
  /** The revision spoken now. */
  readonly revision: Revision
  /**
   * Speaks `revision` from now on. `opened` says that the handshake is done, where the revision has one: version
   * headers are sent and the server may send on its own from then on.
   */
  adopt(revision: Revision, opened: boolean): void
  /**
   * @param hop members of `_meta` about this hop, as JSON text without braces
   * @throws {McpError} where no answer came: `upstream.*`, `caller.cancelled`, `policy.limit`
   */
  request(outgoing: Outgoing, hop: string, timeoutMs?: number): Promise<Answer>
  /** Resolves when it was sent, over HTTP when it was taken. Never rejects. */
  notify(method: string, params: JsonObject): Promise<void>
  onChange(listener: ChangeListener): void
  /** Hears that the server has forgotten the session, when that shows between requests. */
  onLost(listener: () => void): void
  /** The server can send when it was not asked. Resolves once that is known. */
  readonly hearsChanges: Promise<boolean>
  readonly closed: Promise<Closed>
  close(): Promise<void>
}

export interface WireOptions {
  /** Spoken until told otherwise. */
  readonly revision: Revision
  readonly clock: Clock
  readonly limits: FrameLimits
  /** Answers of at least so many bytes may be relayed without being parsed. Default: none. */
  readonly relayFromBytes?: number | undefined
  /** How long a request without a deadline waits; progress starts it anew. */
  readonly timeoutMs: number | (() => number)
  /** However much progress is heard, it waits no longer than this. Default: an hour, or `timeoutMs` where that is longer. */
  readonly maxMs?: number | (() => number) | undefined
  /** Most requests of ours in flight. */
  readonly maxInFlight: number
  /** What we declared: what a server asks beyond it is refused unheard. */
  readonly capabilities: ClientCapabilities
  readonly ask: ((request: Notification, withdrawn: Cancellation) => Promise<Result>) | undefined
  readonly stray: ((notification: Notification) => void) | undefined
  readonly fault: ((reason: string, sample: string) => void) | undefined
  /** Told of a tool that is not listed since the protocol wants it. Default: `fault`. */
  readonly leftOut?: ((reason: string) => void) | undefined
}
