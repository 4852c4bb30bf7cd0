import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import type { Result } from '../protocol/call.ts'
import type { ClientCapabilities, Implementation } from '../protocol/capabilities.ts'
import type { CreateMessageParams, CreateMessageResult, ElicitResult, Root } from '../protocol/features/asking.ts'

/** What is known of a question of a server besides the question. */
export interface Question {
  /** Who asks, by its own word: for display, never for a decision. */
  readonly server: Implementation | undefined
  /** Aborts when the answer is not wanted any more: the call was cancelled, or the server took the question back. */
  readonly signal: AbortSignal
}

/** What a form asks for. */
export interface FormSchema extends JsonObject {
  /** What each field is, by name. */
  readonly properties: JsonObject
}

/** A form to show to a person (`elicitation/create`). */
export interface ElicitForm extends JsonObject {
  readonly message: string
  /** A flat object of strings, numbers, booleans and choices, with their defaults. */
  readonly requestedSchema: FormSchema
}

/**
 * A page a person is asked to open (`elicitation/create` in mode `url`). Show the whole URL, ask first, and never
 * fetch it yourself: it is for the person alone.
 */
export interface ElicitUrl extends JsonObject {
  readonly message: string
  /** http or https, exactly as the server wrote it. */
  readonly url: string
}

type Sample = (request: CreateMessageParams, question: Question) => CreateMessageResult | Promise<CreateMessageResult>

type Roots = readonly Root[] | ((question: Question) => readonly Root[] | Promise<readonly Root[]>)

/**
 * Who answers what a server asks, in every revision alike. What is given here is declared to the server; what is not
 * cannot be asked. Whatever a handler throws ends the call it was asked for; in revisions where servers ask by
 * requests of their own, the server is told that it failed.
 */
export interface Handlers {
  /** Fields an accepted form leaves out get the default they have there; content that does not fit is not sent. */
  readonly elicit?: (form: ElicitForm, question: Question) => ElicitResult | Promise<ElicitResult>
  /** To accept means that the person agreed to open it, not that they are done there. */
  readonly elicitUrl?: (page: ElicitUrl, question: Question) => ElicitResult | Promise<ElicitResult>
  /** {@link refuseSampling} declares it and refuses each request. As an object where the model may use tools. */
  readonly sample?:
    | Sample
    | {
        readonly create: Sample
        /** Requests may bring tools. Default false: such requests are refused. */
        readonly tools?: boolean
        /** Requests may want context of servers included. Default false. */
        readonly context?: boolean
      }
  /** The folders a server may work in. After a change of what the function gives, call `client.rootsChanged()`. */
  readonly roots?: Roots
  /**
   * Servers of the one revision that can may make tasks of what they ask, to fetch the answer later. Kept in memory, at
   * most 256 at once, for what the server wishes and at most a day. Default false.
   */
  readonly tasks?: boolean
}

/**
 * Refuses every request for sampling, as a person would who says no: for hosts that must declare it and have no model
 * to lend.
 * @throws {McpError} `caller.unanswered`
 */
export function refuseSampling(): never {
  const reason = 'The user rejected the sampling request'
  // The code is the one the specification's examples give a refusal (2025-11-25 client/sampling: error handling).
  throw new McpError('caller.unanswered', reason, { data: { code: -1, reason } })
}

/** A handler under a name nobody asks by would never be called, and what it is for not be declared. */
export function checkHandlers(handlers: Handlers): void {
  for (const name of Object.keys(handlers)) {
    if (HANDLERS.has(name)) continue
    throw new TypeError(`Cannot connect with a handler named "${name}": there are ${[...HANDLERS].join(', ')}`)
  }
}

/** What to declare so that exactly these handlers can be asked; that roots change is said where there is a word for it. */
export function toCapabilities(handlers: Handlers): ClientCapabilities {
  const { elicit, elicitUrl, sample, roots } = handlers
  const { tools = false, context = false } = typeof sample === 'object' ? sample : {}
  return {
    ...(elicit === undefined && elicitUrl === undefined
      ? {}
      : { elicitation: { ...(elicit && { form: {} }), ...(elicitUrl && { url: {} }) } }),
    ...(sample === undefined ? {} : { sampling: { ...(tools && { tools: {} }), ...(context && { context: {} }) } }),
    ...(roots === undefined ? {} : { roots: { listChanged: true } }),
    ...toTaskCapabilities(handlers),
  }
}

/** In the words of the only revision that has this: what may become a task is what may be asked. */
function toTaskCapabilities({ elicit, elicitUrl, sample, tasks = false }: Handlers): ClientCapabilities {
  if (!tasks) return {}
  const requests = {
    ...(elicit === undefined && elicitUrl === undefined ? {} : { elicitation: { create: {} } }),
    ...(sample === undefined ? {} : { sampling: { createMessage: {} } }),
  }
  return Object.keys(requests).length === 0 ? {} : { tasks: { list: {}, cancel: {}, requests } }
}

/** The answer of a handler is what the protocol sends back. */
export type Answering = (method: string, params: JsonObject, question: Question) => Promise<Result>

const HANDLERS: ReadonlySet<string> = new Set<keyof Handlers>(['elicit', 'elicitUrl', 'sample', 'roots', 'tasks'])
