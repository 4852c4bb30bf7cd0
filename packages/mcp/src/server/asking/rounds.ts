import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Notification } from '../../protocol/call.ts'

/** What is remembered of a run from round to round, as JSON. */
export interface RunState {
  /** Rounds so far. */
  readonly n: number
  /** Answers: key, mark of the question, answer. */
  readonly a: readonly Answered[]
  /** Results of `once`: key and value; without a value for undefined. */
  readonly o: readonly (readonly [key: string, value?: unknown])[]
  /** Asked and not answered: key and mark. */
  readonly q: readonly (readonly [key: string, mark: string])[]
}

export type Answered = readonly [key: string, mark: string, answer: unknown]

export const NEW_RUN: RunState = Object.freeze({ n: 0, a: [], o: [], q: [] })

/** A question whose answer a run waits for. */
export interface OpenQuestion {
  readonly key: string
  readonly mark: string
  readonly request: Notification
  /** Reads an answer, as it came, and gives what takes it; throws for one that cannot be read. */
  readonly read: (answer: unknown) => Promise<() => void>
  readonly reject: (error: unknown) => void
}

/** The questions of one round, as a client is asked them by a result. */
export function toInputRequests(questions: Iterable<OpenQuestion>): JsonObject {
  return Object.fromEntries(Array.from(questions, ({ key, request }) => [key, request]))
}

export function changedQuestion(key: string): McpError {
  return new McpError(
    'internal.error',
    `Cannot go on: the handler asks something else as "${key}" than before it was answered. ` +
      'It runs again from the top after every answer: put what differs from run to run into ctx.once',
  )
}
