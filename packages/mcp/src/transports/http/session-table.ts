import { createHash, randomBytes } from 'node:crypto'
import type { Handshake } from '../../bridge/handshake.ts'
import { type SessionFacts, toHandshake } from '../../bridge/session-facts.ts'
import { Session } from '../../bridge/sessions.ts'
import { McpError } from '../../errors.ts'
import type { Timer } from '../../peer/clock.ts'
import type { Served } from '../../peer/served.ts'
import type { Shares } from '../../peer/shares.ts'
import { toOwner } from '../../peer/tally.ts'
import type { Principal } from '../../protocol/call.ts'
import type { Elsewhere, SessionRecord } from './elsewhere/elsewhere.ts'
import type { Resume } from './resume/options.ts'
import { SessionStreams } from './resume/session-streams.ts'
import type { EventStream } from './sse.ts'

export interface SessionTableOptions {
  readonly maxSessions: number
  /** Where callers are known: how many each may have. */
  readonly shares: Shares | undefined
  /** A session nobody uses ends after this. */
  readonly idleMs: number
  /** Most streams for news that one session may have open. */
  readonly maxStreams: number
  /** Undefined where nothing is resumed, whatever the revision. */
  readonly resume: Resume | undefined
  /** Told of each that has ended. */
  readonly ended: ((id: string) => void) | undefined
  /** Other processes that may be asked for them. */
  readonly elsewhere: Elsewhere | undefined
}

/** A session over HTTP: the conversation, and the connections on which its client hears what belongs to no request. */
export interface HttpSession {
  readonly id: string
  readonly session: Session
  streams: readonly EventStream[]
  /** Where its revision has that: what outlives a connection. */
  readonly resumable: SessionStreams | undefined
  /** What could not be told yet, newest of each topic; undefined until there is something. */
  untold: Map<string, string> | undefined
  /** What was told on streams that can be resumed, newest of each topic: for a client that missed more than is held. */
  told: Map<string, string> | undefined
  usedAt: number
  /** When others were told last that it is used. */
  toldAt: number
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

  /** Most streams for news that one session may have open. */
  get maxStreams(): number {
    return this.#options.maxStreams
  }

  get size(): number {
    return this.#sessions.size + this.#opening
  }

  /**
   * Opens a session. The id is ours alone: whatever a client sent along is not looked at. When there is no room the
   * oldest one that was never used makes it: a client which only ever initializes must not lock out all others.
   * So does the oldest of the principal's own, when it has its share.
   * @param shake makes the handshake for the id that the session will have
   */
  async open(principal: Principal, shake: (id: string) => Promise<Handshake>): Promise<HttpSession> {
    const { shares } = this.#options
    if (shares?.hasRoomFor(principal) === false) this.#endUnusedOf(principal)
    if (shares?.hasRoomFor(principal) === false) throw tooManySessions(shares)
    const [unused] = this.#unused
    if (this.size >= this.#options.maxSessions && unused !== undefined) this.end(unused)
    if (this.size >= this.#options.maxSessions) {
      throw new McpError('policy.busy', 'Cannot open another session; try again later')
    }
    this.#opening++
    shares?.add(principal)
    try {
      const id = randomBytes(ID_BYTES).toString('base64url')
      const handshake = await shake(id)
      if (this.#isClosed) throw new McpError('policy.busy', 'Cannot open a session: the server is closing')
      const added = this.#add(id, handshake, principal, 0)
      // Its client may turn to any of them with the answer.
      await this.#options.elsewhere?.keep(id, added.session.facts)
      return added
    } catch (error) {
      shares?.remove(principal)
      throw error
    } finally {
      this.#opening--
    }
  }

  /** Least recently used first. */
  all(): readonly HttpSession[] {
    return [...this.#sessions.values()]
  }

  /** Whether it is here, and this caller's. */
  has(id: string, principal: Principal): boolean {
    const found = this.#sessions.get(id)
    return found !== undefined && isSame(found.session.principal, principal)
  }

  /**
   * Goes on with a session of a process that is gone.
   * @param era how often it was taken over by now
   * @param principal whose it is, by what was said last of who that is
   * @throws {McpError} `policy.busy` or `policy.limit` where there is no room for it
   */
  adopt(id: string, facts: SessionFacts, era: number, principal: Principal): void {
    const handshake = toHandshake(facts, id)
    if (handshake === undefined || this.#isClosed || this.#sessions.has(id)) return
    const { shares, maxSessions } = this.#options
    if (shares?.hasRoomFor(principal) === false) this.#endUnusedOf(principal)
    if (shares?.hasRoomFor(principal) === false) throw tooManySessions(shares)
    if (this.size >= maxSessions) throw new McpError('policy.busy', 'Cannot go on with the session; try again later')
    shares?.add(principal)
    this.#add(id, handshake, principal, era).session.restore(facts)
  }

  /** Another process has it. */
  lose(id: string): void {
    const found = this.#sessions.get(id)
    if (found !== undefined) this.#end(found, true)
  }

  *records(): Iterable<readonly [id: string, record: SessionRecord]> {
    for (const { id, session } of this.#sessions.values()) yield [id, session.facts]
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
    if (this.#end(found, false)) this.#options.elsewhere?.forget(found.id)
  }

  /**
   * @param goesOn elsewhere, with what is kept of its streams
   * @returns false for one that has ended before
   */
  #end(found: HttpSession, goesOn: boolean): boolean {
    if (!this.#sessions.delete(found.id)) return false
    this.#unused.delete(found)
    this.#options.shares?.remove(found.session.principal)
    found.session.close()
    found.session.calls.fail(new McpError('caller.cancelled', 'The session has ended'))
    endAll(found)
    found.resumable?.close(goesOn)
    this.#options.ended?.(found.id)
    return true
  }

  /** Ends the streams that wait for news, each session living on. */
  endStreams(): void {
    for (const found of this.#sessions.values()) endAll(found)
  }

  async idle(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map(({ session }) => session.calls.idle()))
  }

  beat(): void {
    for (const { streams, resumable } of this.#sessions.values()) {
      for (const stream of streams) stream.beat()
      resumable?.beat()
    }
  }

  close(reason: McpError): void {
    this.#isClosed = true
    for (const found of [...this.#sessions.values()]) {
      found.session.calls.fail(reason)
      this.#end(found, this.#options.elsewhere !== undefined)
    }
    this.#expiry?.cancel()
    this.#expiry = undefined
  }

  #endUnusedOf(principal: Principal): void {
    for (const unused of this.#unused) {
      if (!isSame(unused.session.principal, principal)) continue
      this.end(unused)
      return
    }
  }

  #add(id: string, handshake: Handshake, principal: Principal, era: number): HttpSession {
    const { traits } = handshake.revision
    const { resume, maxStreams, shares, elsewhere } = this.#options
    const owner = shares === undefined ? undefined : toOwner(principal)
    const resumable =
      resume !== undefined && traits.resumable
        ? new SessionStreams(resume, traits.priming, maxStreams, owner, elsewhere && toStreamsOf(id, era))
        : undefined
    const added: HttpSession = {
      id,
      session: new Session(this.#served, handshake, principal, (text, topic) => tell(added, text, topic), {
        ...(elsewhere && { changed: () => elsewhere.keep(id, added.session.facts) }),
      }),
      streams: [],
      resumable,
      untold: undefined,
      told: undefined,
      usedAt: this.#served.clock.now(),
      toldAt: this.#served.clock.now(),
    }
    this.#sessions.set(id, added)
    this.#unused.add(added)
    this.#expiry ??= this.#served.clock.setTimer(this.#options.idleMs, () => this.#expire())
    return added
  }

  #touch(found: HttpSession): void {
    const now = this.#served.clock.now()
    found.usedAt = now
    const { elsewhere, idleMs } = this.#options
    if (elsewhere !== undefined && now - found.toldAt > idleMs / 4) {
      found.toldAt = now
      elsewhere.touch(found.id)
    }
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

/** What every process calls the streams of a session, whichever of them makes one: no two the same. */
function toStreamsOf(id: string, era: number) {
  return { name: createHash('sha256').update(`streams ${id}`).digest('base64url').slice(0, 16), since: era * ERA }
}

function endAll(found: HttpSession): void {
  const { streams } = found
  found.streams = []
  for (const stream of streams) stream.end()
}

/** Remembers a connection for as long as it is there. The list is as long as it must be: nearly always there is one. */
export function attach(found: HttpSession, connection: EventStream): void {
  found.streams = found.streams.concat(connection)
}

export function detach(found: HttpSession, connection: EventStream): void {
  found.streams = found.streams.filter((other) => other !== connection)
}

/** Tells what waited for somebody who listens, now that there is one. */
export function tellWaiting(found: HttpSession): void {
  const waiting = found.untold
  found.untold = undefined
  for (const [topic, text] of waiting ?? []) tell(found, text, topic)
}

/** Tells everything again, the latest of each topic: what its client has missed is not known any more. */
export function tellAgain(found: HttpSession): void {
  if (found.told === undefined) return
  found.untold = new Map([...found.told, ...(found.untold ?? [])])
}

/** Each message goes to one stream, the newest that is read; without any, the latest of each topic waits. */
function tell(found: HttpSession, text: string, topic: string): void {
  const { streams, resumable } = found
  const stream = resumable === undefined ? streams.findLast((candidate) => candidate.isOpen) : resumable.reading()
  if (stream === undefined) {
    found.untold ??= new Map()
    note(found.untold, topic, text)
    return
  }
  if (resumable === undefined) stream.send(text)
  else {
    stream.send(text, topic)
    found.told ??= new Map()
    note(found.told, topic, text)
  }
}

function note(texts: Map<string, string>, topic: string, text: string): void {
  if (texts.has(topic) || texts.size < MAX_TOPICS) texts.set(topic, text)
}

export function isSame(a: Principal, b: Principal): boolean {
  return a.id === b.id && a.tenant === b.tenant
}

export function tooManySessions({ most }: Shares): McpError {
  return new McpError('policy.limit', `Cannot open another session: this caller has ${most}; end one of them first`)
}

const ID_BYTES = 24
const MAX_TOPICS = 1_024
/** Streams that one process may make of one session. */
const ERA = 1_000_000
