import { McpError } from '../errors.ts'
import type { FrameLimits } from '../jsonrpc/limits.ts'
import { shown } from '../jsonrpc/shown.ts'
import type { Call, Handle, Principal } from '../protocol/call.ts'
import type { Implementation } from '../protocol/capabilities.ts'
import type { Revision } from '../revisions/revision.ts'
import type { Clock } from './clock.ts'

/** What a conversation knows of the endpoint behind it, with every default filled in. Made once per door. */
export interface Served {
  readonly handle: Handle
  /** The same as calls of a session take it: what it asks by its result is asked by requests there. */
  readonly sessionHandle: Handle
  serverInfo: Implementation
  /** `serverInfo` as the `_meta` member of a result, with a comma behind it, ready to be put into one. */
  stamp: string
  /** Reads `serverInfo` anew from the endpoint: for whoever asks what this is, and not for every call. */
  introduce(): void
  /** Whether a request that no revision knows is one of the endpoint's own, for this caller. */
  readonly hasMethod: ((name: string, principal: Principal) => boolean) | undefined
  /** Told that the client of a session has other roots now. */
  readonly rootsChanged: ((caller: Pick<Call, 'principal' | 'downstream'>) => void) | undefined
  readonly limits: FrameLimits
  readonly clock: Clock
  /** Revisions offered that open with a handshake, newest first. */
  readonly handshakes: readonly Revision[]
  /** Revisions offered whose requests say all they need, by name, newest first. */
  readonly envelopes: ReadonlyMap<string, Revision>
  readonly maxConcurrent: number
  readonly maxWaiting: number
  readonly maxWaitingBytes: number
  readonly callTimeoutMs: number
  readonly questionTimeoutMs: number
  readonly maxQuestions: number
  readonly maxStreamBytes: number
  readonly log: Log
}

export type Log = (
  level: 'debug' | 'info' | 'warn' | 'error',
  event: string,
  details?: Readonly<Record<string, unknown>>,
) => void

/**
 * What a peer of another revision is told; older clients have no other hint at what would work. The list in the
 * error is what a request may name instead, the same that `server/discover` gives; the text says so, and which others
 * there are for who opens with `initialize`.
 */
export function unsupportedRevision(
  { envelopes, handshakes }: Pick<Served, 'envelopes' | 'handshakes'>,
  requested: string | undefined,
): McpError {
  const older = handshakes.map((revision) => revision.name)
  const supported = envelopes.size > 0 ? [...envelopes.keys()] : older
  const rest = envelopes.size > 0 && older.length > 0 ? `; after "initialize": ${older.join(', ')}` : ''
  const asked = requested === undefined ? 'a request that names no protocol version' : `version "${shown(requested)}"`
  return new McpError(
    'caller.unsupported_revision',
    `Cannot speak ${asked}; supported: ${supported.join(', ')}${rest}`,
    {
      data: requested === undefined ? { supported } : { supported, requested },
    },
  )
}
