import { randomBytes } from 'node:crypto'
import type { Handshake } from '../../bridge/handshake.ts'
import { Session } from '../../bridge/sessions.ts'
import { McpError } from '../../errors.ts'
import type { Timer } from '../../peer/clock.ts'
import type { Served } from '../../peer/served.ts'
import type { Principal } from '../../protocol/call.ts'
import type { EventStream } from './sse.ts'

export interface SessionTableOptions {
  readonly maxSessions: number
  /** A session nobody uses ends after this. */
  readonly idleMs: number
}

/** A session over HTTP: the conversation, and the streams on which its client hears what belongs to no request. */
export interface HttpSession {
  readonly id: string
  readonly session: Session
  readonly streams: EventStream[]
  /** What could not be told yet, newest of each topic. */
  readonly untold: Map<string, string>
  usedAt: number
}

/** The handshake sessions of one endpoint, least recently used first. */
export class SessionTable {
  readonly #served: Served
  readonly #options: SessionTableOptions
  readonly #sessions = new Map<string, HttpSession>()
  /** Of those, the ones whose client has not come back since it was given the id, oldest first. */
  readonly #unused = new Set<HttpSession>()
  #opening = 0
  #isClosed = false
  #expiry: Timer | undefined

  constructor(served: Served, options: SessionTableOptions) {
    this.#served = served
    this.#options = options
  }

  get size(): number {
    return this.#sessions.size + this.#opening
  }

  /**
   * Opens a session. The id is ours alone: whatever a client sent along is not looked at. When there is no room the
   * oldest one that was never used makes it: a client which only ever initializes must not lock out all others.
   * @param shake makes the handshake for the id that the session will have
   */
  async open(principal: Principal, shake: (id: string) => Promise<Handshake>): Promise<HttpSession> {
    const [unused] = this.#unused
    if (this.size >= this.#options.maxSessions && unused !== undefined) this.end(unused)
    if (this.size >= this.#options.maxSessions) {
      throw new McpError('policy.busy', 'Cannot open another session; try again later')
    }
    this.#opening++
    try {
      const id = randomBytes(ID_BYTES).toString('base64url')
      const handshake = await shake(id)
      if (this.#isClosed) throw new McpError('policy.busy', 'Cannot open a session: the server is closing')
      return this.#add(id, handshake, principal)
    } finally {
      this.#opening--
    }
  }

  /**
   * The session of that id. Unknown, ended, expired and somebody else's are told apart by nobody.
   * @throws {McpError} `caller.session_missing` for no id, `caller.session_unknown` for one that is not the caller's
   */
  find(id: string | undefined, principal: Principal): HttpSession {
    if (id === undefined) throw new McpError('caller.session_missing', 'Cannot take a request without "Mcp-Session-Id"')
    const found = this.#sessions.get(id)
    if (found === undefined || !isSame(found.session.principal, principal)) {
      throw new McpError('caller.session_unknown', 'No such session; initialize again')
    }
    this.#touch(found)
    return found
  }

  /** Ends one session and whatever it has open. */
  end(found: HttpSession): void {
    if (!this.#sessions.delete(found.id)) return
    this.#unused.delete(found)
    found.session.close()
    found.session.calls.fail(new McpError('caller.cancelled', 'The session has ended'))
    for (const stream of found.streams.splice(0)) stream.end()
  }

  /** Ends the streams that wait for news, each session living on. */
  endStreams(): void {
    for (const { streams } of this.#sessions.values()) for (const stream of streams.splice(0)) stream.end()
  }

  async idle(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map(({ session }) => session.calls.idle()))
  }

  beat(): void {
    for (const { streams } of this.#sessions.values()) for (const stream of streams) stream.beat()
  }

  close(reason: McpError): void {
    this.#isClosed = true
    for (const found of [...this.#sessions.values()]) {
      found.session.calls.fail(reason)
      this.end(found)
    }
    this.#expiry?.cancel()
    this.#expiry = undefined
  }

  #add(id: string, handshake: Handshake, principal: Principal): HttpSession {
    const streams: EventStream[] = []
    const untold = new Map<string, string>()
    const session = new Session(this.#served, handshake, principal, (text, topic) => tell(streams, untold, text, topic))
    const added: HttpSession = { id, session, streams, untold, usedAt: this.#served.clock.now() }
    this.#sessions.set(id, added)
    this.#unused.add(added)
    this.#expiry ??= this.#served.clock.setTimer(this.#options.idleMs, () => this.#expire())
    return added
  }

  #touch(found: HttpSession): void {
    found.usedAt = this.#served.clock.now()
    this.#unused.delete(found)
    this.#sessions.delete(found.id)
    this.#sessions.set(found.id, found)
  }

  #expire(): void {
    this.#expiry = undefined
    const { clock, log } = this.#served
    const { idleMs } = this.#options
    const now = clock.now()
    for (const found of [...this.#sessions.values()]) {
      const left = found.usedAt + idleMs - now
      if (left > 0) {
        this.#expiry = clock.setTimer(left, () => this.#expire())
        return
      }
      if (found.streams.some((stream) => stream.isOpen) || found.session.calls.size > 0) this.#touch(found)
      else {
        log('debug', 'session.expired')
        this.end(found)
      }
    }
    if (this.#sessions.size > 0) this.#expiry = clock.setTimer(idleMs, () => this.#expire())
  }
}

/** Hands a new stream what waited for one. */
export function attach(found: HttpSession, stream: EventStream): void {
  found.streams.push(stream)
  for (const text of found.untold.values()) stream.send(text)
  found.untold.clear()
}

export function detach(found: HttpSession, stream: EventStream): void {
  const at = found.streams.indexOf(stream)
  if (at !== -1) found.streams.splice(at, 1)
}

/** Each message goes to one stream, the newest; without any, the latest of each topic waits. */
function tell(streams: readonly EventStream[], untold: Map<string, string>, text: string, topic: string): void {
  const stream = streams.findLast((candidate) => candidate.isOpen)
  if (stream !== undefined) {
    stream.send(text)
    return
  }
  if (untold.has(topic) || untold.size < MAX_UNTOLD) untold.set(topic, text)
}

export function isSame(a: Principal, b: Principal): boolean {
  return a.id === b.id && a.tenant === b.tenant
}

const ID_BYTES = 24
const MAX_UNTOLD = 1_024
