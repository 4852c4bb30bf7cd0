/**
 * Where a client is in a stream. The session's part is random, so that an id tells and opens nothing elsewhere; the
 * kind says what is to be done where nothing is held any more.
 */
export interface Position {
  /** The random name of the session. */
  readonly session: string
  readonly stream: string
  /** A stream for news; otherwise one that ends with the answer to a request. */
  readonly isStanding: boolean
  readonly number: number
  /** Of the last event the client has; 0 where that only primed it. */
  readonly seq: number
}

export function toStreamName(isStanding: boolean, number: number): string {
  return `${isStanding ? 's' : 'a'}${number}`
}

/** Visible ASCII, unique within the session. */
export function toEventId(session: string, stream: string, seq: number): string {
  return `${session}.${stream}.${seq}`
}

/** Undefined for what no id of ours looks like. */
export function parseEventId(text: string): Position | undefined {
  const found = EVENT_ID.exec(text)
  if (found === null) return undefined
  const [, session = '', stream = '', kind, number, seq] = found
  return { session, stream, isStanding: kind === 's', number: Number(number), seq: Number(seq) }
}

const EVENT_ID = /^([\w-]{16})\.(([as])(\d{1,12}))\.(\d{1,12})$/
