import { type Clock, systemClock, type Timer } from '../../../peer/clock.ts'
import type { EventStore, FoundEvents, StoredEvent } from './event-store.ts'

/** Bounds of what is kept. Whatever is beyond one is forgotten, that which was written to longest ago first. */
export interface MemoryEventStoreOptions {
  /** Most events of one stream. Default 1,000. */
  readonly maxEvents?: number
  /** Most streams of one session. Default 256. */
  readonly maxStreams?: number
  /** Most bytes of one session, two for each character and 128 for each event. Default 8 MiB. */
  readonly maxSessionBytes?: number
  /** Most bytes of all sessions together. Default 64 MiB. */
  readonly maxBytes?: number
  /** Most bytes of all sessions of one principal, where callers are asked who they are. Default a quarter of `maxBytes`. */
  readonly maxBytesPerPrincipal?: number
  /** A stream that was not written to for so long is forgotten. Default 10 minutes. */
  readonly ttlMs?: number
  readonly clock?: Clock
}

/** An {@link EventStore} in the memory of this process. */
export interface MemoryEventStore extends EventStore {
  append(session: string, stream: string, event: StoredEvent, owner?: string): void
  read(session: string, stream: string, after: number, limit: number): FoundEvents
  drop(session: string, stream?: string): void
  /** What it holds now. */
  readonly figures: () => MemoryEventFigures
}

export interface MemoryEventFigures {
  readonly sessions: number
  readonly streams: number
  readonly events: number
  readonly bytes: number
}

export function createMemoryEventStore(options: MemoryEventStoreOptions = {}): MemoryEventStore {
  return new MemoryStore(options)
}

interface KeptStream {
  readonly name: string
  /** By `seq`, oldest first. */
  readonly events: Map<number, StoredEvent>
  /** Where the latest event of a topic is. */
  topics: Map<string, number> | undefined
  /** The newest that was forgotten for want of room. */
  forgotten: number
  last: number
  writtenAt: number
}

interface KeptSession {
  readonly name: string
  /** That which was written to longest ago first. */
  readonly streams: Map<string, KeptStream>
  readonly owner: KeptOwner | undefined
  bytes: number
}

interface KeptOwner {
  readonly name: string
  /** That which was written to longest ago first. */
  readonly sessions: Map<string, KeptSession>
  bytes: number
}

class MemoryStore implements MemoryEventStore {
  readonly #bounds: Required<MemoryEventStoreOptions>
  /** That which was written to longest ago first. */
  readonly #sessions = new Map<string, KeptSession>()
  readonly #owners = new Map<string, KeptOwner>()
  #bytes = 0
  #sweep: Timer | undefined

  constructor(options: MemoryEventStoreOptions) {
    const { maxBytes = 64 * 1024 * 1024 } = options
    this.#bounds = {
      maxEvents: options.maxEvents ?? 1_000,
      maxStreams: options.maxStreams ?? 256,
      maxSessionBytes: options.maxSessionBytes ?? 8 * 1024 * 1024,
      maxBytes,
      maxBytesPerPrincipal: options.maxBytesPerPrincipal ?? maxBytes / 4,
      ttlMs: options.ttlMs ?? 10 * 60_000,
      clock: options.clock ?? systemClock,
    }
  }

  readonly figures = (): MemoryEventFigures => {
    let streams = 0
    let events = 0
    for (const session of this.#sessions.values()) {
      streams += session.streams.size
      for (const stream of session.streams.values()) events += stream.events.size
    }
    return { sessions: this.#sessions.size, streams, events, bytes: this.#bytes }
  }

  append(sessionName: string, streamName: string, event: StoredEvent, owner?: string): void {
    const { maxEvents, maxStreams, maxSessionBytes, maxBytes, maxBytesPerPrincipal, ttlMs, clock } = this.#bounds
    const session = this.#touchSession(sessionName, owner)
    const stream = touchStream(session, streamName, event.seq)
    stream.writtenAt = clock.now()
    stream.last = event.seq
    if (event.topic !== undefined) this.#replaceTopic(session, stream, event.topic, event.seq)
    stream.events.set(event.seq, event)
    this.#count(session, sizeOf(event))
    while (stream.events.size > maxEvents) this.#forgetFirst(session, stream)
    while (session.streams.size > maxStreams) this.#forgetStream(session, first(session.streams))
    while (session.bytes > maxSessionBytes) this.#forgetOldest(session)
    if (session.owner !== undefined) {
      while (session.owner.bytes > maxBytesPerPrincipal) this.#forgetOldest(first(session.owner.sessions))
    }
    while (this.#bytes > maxBytes) this.#forgetOldest(first(this.#sessions))
    if (this.#sessions.size > 0) this.#sweep ??= clock.setTimer(ttlMs, this.#forgetExpired)
  }

  read(sessionName: string, streamName: string, after: number, limit: number): FoundEvents {
    const stream = this.#sessions.get(sessionName)?.streams.get(streamName)
    if (stream === undefined || after < stream.forgotten || after > stream.last) return undefined
    if (this.#isExpired(stream)) return undefined
    const found: StoredEvent[] = []
    for (const event of stream.events.values()) {
      if (event.seq <= after) continue
      if (found.length >= limit) break
      found.push(event)
    }
    return found
  }

  drop(sessionName: string, streamName?: string): void {
    const session = this.#sessions.get(sessionName)
    if (session === undefined) return
    if (streamName === undefined) this.#forgetSession(session)
    else {
      const stream = session.streams.get(streamName)
      if (stream !== undefined) this.#forgetStream(session, stream)
    }
  }

  #touchSession(name: string, owner: string | undefined): KeptSession {
    const session = this.#sessions.get(name) ?? { name, streams: new Map(), owner: this.#ownerOf(owner), bytes: 0 }
    this.#sessions.delete(name)
    this.#sessions.set(name, session)
    session.owner?.sessions.delete(name)
    session.owner?.sessions.set(name, session)
    return session
  }

  #ownerOf(name: string | undefined): KeptOwner | undefined {
    if (name === undefined) return undefined
    const owner = this.#owners.get(name) ?? { name, sessions: new Map(), bytes: 0 }
    this.#owners.set(name, owner)
    return owner
  }

  #replaceTopic(session: KeptSession, stream: KeptStream, topic: string, seq: number): void {
    stream.topics ??= new Map()
    const earlier = stream.events.get(stream.topics.get(topic) ?? 0)
    if (earlier !== undefined) {
      stream.events.delete(earlier.seq)
      this.#count(session, -sizeOf(earlier))
    }
    stream.topics.set(topic, seq)
  }

  #count(session: KeptSession, bytes: number): void {
    session.bytes += bytes
    if (session.owner !== undefined) session.owner.bytes += bytes
    this.#bytes += bytes
  }

  #forgetOldest(session: KeptSession): void {
    this.#forgetFirst(session, first(session.streams))
  }

  #forgetFirst(session: KeptSession, stream: KeptStream): void {
    const event = first(stream.events)
    stream.events.delete(event.seq)
    if (event.topic !== undefined) stream.topics?.delete(event.topic)
    stream.forgotten = event.seq
    this.#count(session, -sizeOf(event))
    if (stream.events.size === 0) this.#forgetStream(session, stream)
  }

  #forgetStream(session: KeptSession, stream: KeptStream): void {
    for (const event of stream.events.values()) this.#count(session, -sizeOf(event))
    stream.events.clear()
    session.streams.delete(stream.name)
    if (session.streams.size === 0) this.#forgetSession(session)
  }

  /** Empties it too: a table that had it may keep it for a while (see `Held`). */
  #forgetSession(session: KeptSession): void {
    this.#count(session, -session.bytes)
    session.streams.clear()
    if (this.#sessions.get(session.name) === session) {
      this.#sessions.delete(session.name)
      session.owner?.sessions.delete(session.name)
      if (session.owner?.sessions.size === 0) this.#owners.delete(session.owner.name)
    }
    if (this.#sessions.size > 0) return
    this.#sweep?.cancel()
    this.#sweep = undefined
  }

  #isExpired({ writtenAt }: KeptStream): boolean {
    return this.#bounds.clock.now() - writtenAt >= this.#bounds.ttlMs
  }

  readonly #forgetExpired = (): void => {
    this.#sweep = undefined
    for (const session of [...this.#sessions.values()]) {
      for (const stream of [...session.streams.values()]) {
        if (!this.#isExpired(stream)) break
        this.#forgetStream(session, stream)
      }
    }
    const { clock, ttlMs } = this.#bounds
    if (this.#sessions.size > 0) this.#sweep = clock.setTimer(ttlMs, this.#forgetExpired)
  }
}

function touchStream(session: KeptSession, name: string, seq: number): KeptStream {
  // What came before the first one that we are given is not held here.
  const stream = session.streams.get(name) ?? {
    name,
    events: new Map(),
    topics: undefined,
    forgotten: seq - 1,
    last: seq,
    writtenAt: 0,
  }
  session.streams.delete(name)
  session.streams.set(name, stream)
  return stream
}

/** Of a map that is not empty: nothing empty is kept. */
function first<T>(map: ReadonlyMap<unknown, T>): T {
  for (const value of map.values()) return value
  throw new RangeError('Cannot forget the first of nothing')
}

function sizeOf({ text }: StoredEvent): number {
  return text.length * 2 + EVENT_BYTES
}

/** What an event takes besides its text. */
const EVENT_BYTES = 128
