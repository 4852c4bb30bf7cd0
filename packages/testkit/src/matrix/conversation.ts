import type { Id, JsonObject } from '@crosspoint/mcp'
import type { Message } from '../http.ts'
import type { Take } from '../older/pipes.ts'
import type { Speaks } from './speaks.ts'

/** A client of one revision, written by hand: what it gets is judged by the official schema of that revision. */
export interface MatrixClient {
  readonly speaks: Speaks
  /** Sends a request and answers what is asked on its behalf, to the answer. */
  ask(method: string, params?: JsonObject, wants?: Wants): Promise<Exchange>
  begin(method: string, params?: JsonObject, wants?: Wants): Open
  /** Asks to be told of changes, as its revision does. */
  watch(wanted: { readonly tools?: true; readonly uri?: string }): Promise<Watching>
  /** What is wrong with anything that was said to it, and with what it said. */
  readonly faults: readonly string[]
  close(): Promise<void>
}

export interface Wants {
  readonly progressToken?: string
  readonly logLevel?: string
  /** Done by the user when sent to a page, before saying so. */
  readonly visit?: () => Promise<unknown>
  /** The user says no to what is asked. */
  readonly declines?: true
  /** The call may become a task, where the other side says that it knows such. */
  readonly task?: true
}

export interface Exchange {
  readonly answer: Message
  /** Notifications that came for this request, in order. */
  readonly before: readonly Message[]
  /** What was asked, in order. */
  readonly asked: readonly Message[]
  /** Requests it took: one, and one more for each result that asked. */
  readonly requests: number
}

export interface Open {
  readonly done: Promise<Exchange>
  /** Takes the request back in the way of the revision and the transport. */
  cancel(): void
  /** Whether an answer came. */
  readonly isAnswered: boolean
}

/** Of what was asked for, and whatever else comes. */
export interface Watching {
  /** Of what was asked for, what will be told; undefined where the revision does not say. */
  readonly acknowledged: JsonObject | undefined
  /** The next notification of this method: each is given once. */
  next(method: string): Promise<Message>
  stop(): Promise<void>
}

/** How messages go out. What comes in is handed to the {@link Take} it was opened with. */
export interface Wire {
  /** Messages that belong to a request come on a stream of its own. */
  readonly hasStreams: boolean
  send(message: JsonObject): void
  /** Leaves the stream of a request; false where there is none to leave. */
  leave(id: Id): boolean
  /** After the handshake. */
  ready?(): Promise<void>
  close(): Promise<void>
}

export type OpenWire = (take: Take) => Promise<Wire>
