import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import type { CreateMessageParams, CreateMessageResult, ElicitResult } from '../protocol/features/asking.ts'

/** What a form or a page asks of a person, as the client is sent it (schema `ElicitRequestParams`). */
export interface ElicitQuestion extends JsonObject {
  readonly message: string
  readonly mode?: 'form' | 'url'
  /** Of a form. */
  readonly requestedSchema?: JsonObject
  /** Of a page. */
  readonly url?: string
}

/** Stands for a person or a model: gives the answers of its script in order, and remembers what it was asked. */
export interface Scripted<Question, Answer> {
  (question: Question): Promise<Answer>
  /** What was asked so far, oldest first. */
  readonly questions: readonly Question[]
  /** Answers not given yet. A test that ends with some left asked less than it meant to. */
  readonly left: number
}

/** A whole answer, or a short form: `decline` and `cancel` without content, a function for what depends on the question. */
export type ElicitReply = ElicitResult | 'decline' | 'cancel' | ((question: ElicitQuestion) => ElicitResult)

/** A whole answer, a text the model says, or a function for what depends on the question. */
export type SamplingReply = CreateMessageResult | string | ((question: CreateMessageParams) => CreateMessageResult)

/**
 * A person who fills in forms as scripted.
 * @example
 * const person = scriptElicitation({ action: 'accept', content: { name: 'Ada' } }, 'decline')
 * const client = await testClient(server, { handlers: { elicit: person } })
 */
export function scriptElicitation(...replies: readonly ElicitReply[]): Scripted<ElicitQuestion, ElicitResult> {
  return createScripted('elicitation', replies, (reply, question) => {
    if (typeof reply === 'function') return reply(question)
    return typeof reply === 'string' ? { action: reply } : reply
  })
}

/**
 * A model that says what is scripted.
 * @example
 * const model = scriptSampling('The capital is Paris.')
 */
export function scriptSampling(
  ...replies: readonly SamplingReply[]
): Scripted<CreateMessageParams, CreateMessageResult> {
  return createScripted('sampling', replies, (reply, question) => {
    if (typeof reply === 'function') return reply(question)
    return typeof reply === 'string' ? toMessage(reply) : reply
  })
}

function toMessage(text: string): CreateMessageResult {
  return { role: 'assistant', content: { type: 'text', text }, model: 'scripted', stopReason: 'endTurn' }
}

function createScripted<Reply, Question, Answer>(
  what: string,
  replies: readonly Reply[],
  toAnswer: (reply: Reply, question: Question) => Answer,
): Scripted<Question, Answer> {
  const questions: Question[] = []
  const answer = async (question: Question): Promise<Answer> => {
    questions.push(question)
    const reply = replies[questions.length - 1]
    if (reply !== undefined) return toAnswer(reply, question)
    throw new McpError(
      'internal.error',
      `The ${what} script has ${replies.length} answers, and this is question ${questions.length}`,
    )
  }
  return Object.defineProperties(answer, {
    questions: { get: () => questions },
    left: { get: () => Math.max(0, replies.length - questions.length) },
    // The two members are defined just above.
  }) as Scripted<Question, Answer>
}
