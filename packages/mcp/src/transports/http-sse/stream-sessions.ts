import { randomBytes } from 'node:crypto'
import { McpError } from '../../errors.ts'
import type { Served } from '../../peer/served.ts'
import type { Shares } from '../../peer/shares.ts'
import type { Principal } from '../../protocol/call.ts'
import { type ServedConversation, serveConversation } from '../duplex/serve.ts'
import type { Elsewhere, SessionRecord } from '../http/elsewhere/elsewhere.ts'
import type { HttpResponse } from '../http/exchange.ts'
import { isGone } from '../http/reply.ts'
import { isSame, tooManySessions } from '../http/session-table.ts'
import { StreamChannel } from './stream-channel.ts'

export interface StreamSession {
  readonly conversation: ServedConversation
  readonly principal: Principal
  readonly channel: StreamChannel
  /** What gives back the room that messages at work take among those of the door. */
  readonly owed: Set<() => void>
}

export interface StreamSessionsOptions {
  readonly maxSessions: number
  /** Where callers are known: how many each may have. */
  readonly shares: Shares | undefined
  /** Told of each that has ended. */
  readonly ended: ((id: string) => void) | undefined
  /** Other processes that may get what is said in them. */
  readonly elsewhere: Elsewhere | undefined
}

/** The sessions of one endpoint whose life is that of a stream. */
export class StreamSessions {
  readonly #served: Served
  readonly #options: StreamSessionsOptions
  readonly #open = new Map<string, StreamSession>()

  constructor(served: Served, options: StreamSessionsOptions) {
    // Requests with an envelope have no place on this transport, in any revision.
    this.#served = { ...served, envelopes: new Map() }
    this.#options = options
  }

  get size(): number {
    return this.#open.size
  }

  /** Whether a revision is offered that was made for this transport; newer ones with a handshake are taken along. */
  get isOffered(): boolean {
    return this.#served.handshakes.some(({ traits }) => traits.http === 'sse')
  }

  /**
   * Makes the response the stream of a new session.
   * @param toTarget where its client is to POST, by the id
   */
  open(principal: Principal, response: HttpResponse, toTarget: (id: string) => string): void {
    const { maxSessions, shares, elsewhere } = this.#options
    if (shares?.hasRoomFor(principal) === false) throw tooManySessions(shares)
    if (this.size >= maxSessions) {
      throw new McpError('policy.busy', 'Cannot open another session; try again later')
    }
    const id = randomBytes(ID_BYTES).toString('base64url')
    if (elsewhere === undefined) {
      this.#begin(id, principal, response, toTarget(id))
      return
    }
    // What its client says first may reach any of them.
    void elsewhere.keep(id, toRecord(principal)).then(() => {
      if (isGone(response)) elsewhere.forget(id)
      else this.#begin(id, principal, response, toTarget(id))
    })
  }

  #begin(id: string, principal: Principal, response: HttpResponse, target: string): void {
    const { shares, ended, elsewhere } = this.#options
    const channel = new StreamChannel(response, target, this.#served.maxStreamBytes)
    const conversation = serveConversation(this.#served, channel, { principal, session: id })
    const owed = new Set<() => void>()
    this.#open.set(id, { conversation, principal, channel, owed })
    shares?.add(principal)
    void conversation.closed.then(() => {
      this.#open.delete(id)
      shares?.remove(principal)
      for (const release of owed) release()
      ended?.(id)
      elsewhere?.forget(id)
    })
  }

  has(id: string, principal: Principal): boolean {
    const found = this.#open.get(id)
    return found !== undefined && isSame(found.principal, principal)
  }

  all(): readonly (readonly [id: string, found: StreamSession])[] {
    return [...this.#open]
  }

  *records(): Iterable<readonly [id: string, record: SessionRecord]> {
    for (const [id, { principal }] of this.#open) yield [id, toRecord(principal)]
  }

  /**
   * The session of that id. Unknown, ended and somebody else's are told apart by nobody.
   * @throws {McpError} `caller.session_unknown`
   */
  find(id: string, principal: Principal): StreamSession {
    const found = this.#open.get(id)
    if (found !== undefined && isSame(found.principal, principal)) return found
    throw new McpError('caller.session_unknown', 'No such session; open the stream again')
  }

  beat(): void {
    for (const { channel } of this.#open.values()) {
      if (channel.beat() === 'fine') continue
      this.#served.log('warn', 'stream.cut', { reason: 'nothing of it is read' })
      channel.cut()
    }
  }

  /** Lets calls at work finish for `ms` and ends every stream. */
  async drain(ms: number): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ conversation }) => conversation.close({ drainMs: ms })))
  }
}

function toRecord({ tenant, id }: Principal): SessionRecord {
  return { principal: { tenant, id } }
}

const ID_BYTES = 24
