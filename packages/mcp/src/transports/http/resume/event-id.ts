import type { Id } from '../../../jsonrpc/frame.ts'

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

/** @param asked where another process may have to tell what will never be answered: the ids of the requests */
export function toStreamName(isStanding: boolean, number: number, asked?: readonly Id[]): string {
  const name = `${isStanding ? 's' : 'a'}${number}`
  if (asked === undefined || asked.length === 0) return name
  const text = Buffer.from(JSON.stringify(asked)).toString('base64url')
  return text.length > MAX_ASKED ? name : `${name}-${text}`
}

/** The requests that a stream was to answer, as far as its name says. */
export function askedOn(stream: string): readonly Id[] {
  const at = stream.indexOf('-')
  if (at === -1) return []
  try {
    const ids: unknown = JSON.parse(Buffer.from(stream.slice(at + 1), 'base64url').toString())
    return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string' || typeof id === 'number') : []
  } catch {
    return [] // no name of ours, which its client may have made up: then it is told nothing
  }
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

const EVENT_ID = /^([\w-]{16})\.(([as])(\d{1,12})(?:-[\w-]{1,512})?)\.(\d{1,12})$/
const MAX_ASKED = 512
