/** One event of a stream, as it is kept. */
export interface StoredEvent {
  /** Its place in its stream: 1 for the first, one more for each. */
  readonly seq: number
  /** The message, as JSON text. */
  readonly text: string
  /** A later event of the same topic makes this one needless, and it may be forgotten. Only news has a topic. */
  readonly topic?: string
}

/** What was found after a place in a stream; undefined where some of it is not held any more, or there is no such place. */
export type FoundEvents = readonly StoredEvent[] | undefined

/**
 * Keeps what was said on the streams of sessions, so that a client which lost its connection can hear the rest.
 *
 * A session is named by a random text that is not its id, a stream by a text that is unique within its session.
 * Whatever answers without waiting answers without a promise: the engine waits for none while it sends. A store may
 * forget anything at any time; it must not invent, and a read finds whatever was appended before it, in order.
 */
export interface EventStore {
  /**
   * Keeps one event behind those that the stream has.
   * @param owner whose session it is, the same text for the same principal, so that nobody can push out what all others
   * have; undefined where callers are not asked who they are
   */
  append(session: string, stream: string, event: StoredEvent, owner?: string): void | Promise<void>
  /**
   * The events of a stream with a `seq` above `after`, oldest first, `limit` at most. Not a part of them: where one
   * was forgotten, other than for its topic, the answer is undefined. An empty list says that there is nothing newer.
   */
  read(session: string, stream: string, after: number, limit: number): FoundEvents | Promise<FoundEvents>
  /** Forgets one stream, or all of a session. */
  drop(session: string, stream?: string): void | Promise<void>
}
