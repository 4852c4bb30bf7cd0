import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Call } from '../../protocol/call.ts'
import { hasCapability } from '../../protocol/capabilities.ts'
import type { CreateMessageParams, CreateMessageResult, ElicitResult, Root } from '../../protocol/features/asking.ts'
import { findToolFault } from '../../protocol/features/tool-results.ts'
import type { EndpointEvent } from '../../transports/endpoint.ts'
import type { Parsed, Schema } from '../schema.ts'
import { parseElicited, parseRoots, parseSampled } from './answers.ts'
import type { Asking } from './asking.ts'
import { Declined, UnsuitedForm } from './errors.ts'
import { type Form, toForm } from './form.ts'

/** What goes with any question. */
export interface AskOptions {
  /**
   * Names the question among those of its call. Default: its place in their order, which is enough unless a handler
   * asks several things at once in an order that changes. Callers who are asked by results see it, those behind a
   * gateway as well.
   */
  readonly key?: string
}

export interface ElicitOptions extends AskOptions {
  /** The JSON Schema of a Standard Schema whose library offers none itself. */
  readonly jsonSchema?: JsonObject
}

/** What became of a form: its content only where it was accepted. */
export type Elicited<Content> =
  | { readonly action: 'accept'; readonly content: Content }
  | { readonly action: 'decline' | 'cancel'; readonly content?: undefined }

/** A page the user agreed to open, which does not mean that the visit is over. */
export interface VisitedPage {
  /** Where the client is told when the visit is over (one older revision): by which id. */
  readonly elicitationId: string | undefined
  /** Tells the client that the visit is over, where it can be told while the call is open. */
  readonly complete: () => void
}

/**
 * Asks the person, the model or the client behind a call. Each of these works on every revision: where the caller can
 * be asked while its call is open it is; everywhere else the run ends here, the caller gets the question as a result,
 * and comes again with the answer: then the handler runs again from the top, and each question answered before gives
 * its answer at once. So what a handler does before a question is done again after it, unless it is in {@link once}.
 *
 * All of them throw an McpError `caller.missing_capability` for what the caller did not declare.
 */
export interface Asker {
  /**
   * Asks for a form to be filled in: any schema that is an object of texts, numbers, yes or no, and choices.
   * @throws {UnsuitedForm} which names the field, for a schema that is anything else, such as an object in an object
   * @throws {Declined} where the user declines or cancels: uncaught, a tool fails with a text that says so
   */
  readonly elicit: <S extends Schema>(message: string, schema: S, options?: ElicitOptions) => Promise<Parsed<S>>
  /** As {@link elicit}, for who goes on without an answer. */
  readonly tryElicit: <S extends Schema>(
    message: string,
    schema: S,
    options?: ElicitOptions,
  ) => Promise<Elicited<Parsed<S>>>
  /**
   * Asks the user to open a page, for what must not pass through the client: sign-in, payment. Who visits must be held
   * against `principal` there; the URL carries no secrets.
   * @throws {Declined} where the user will not
   */
  readonly elicitUrl: (url: string, message: string, options?: AskOptions) => Promise<VisitedPage>
  /** Asks the client's model. The client may show it to its user, change it or refuse. */
  readonly sample: (params: CreateMessageParams, options?: AskOptions) => Promise<CreateMessageResult>
  /** Which folders the client works in. */
  readonly roots: (options?: AskOptions) => Promise<readonly Root[]>
  /**
   * Does something once for all runs of this call and gives its result, which has to be JSON, to each of them: what
   * has effects, costs much, or differs from run to run. One that fails is not remembered.
   */
  readonly once: <T>(key: string, work: () => T | Promise<T>) => Promise<T>
}

/** @param log told of a schema that can be no form: callers are not told what is wrong with it */
export function createAsker(asking: Asking, log: (event: EndpointEvent) => void): Asker {
  function open<S extends Schema>(schema: S, jsonSchema: JsonObject | undefined): Form {
    try {
      return toForm(schema, jsonSchema)
    } catch (error) {
      if (error instanceof UnsuitedForm)
        log({ level: 'error', event: 'form_unsuited', method: asking.call.method, error })
      throw error
    }
  }
  async function tryElicit<S extends Schema>(
    message: string,
    schema: S,
    { key, jsonSchema }: ElicitOptions = {},
  ): Promise<Elicited<Parsed<S>>> {
    const { requestedSchema, parse } = open(schema, jsonSchema)
    const request = { method: 'elicitation/create', params: { message, requestedSchema } }
    return asking.ask(
      request,
      async (answer) => {
        const { action, content = {} } = parseElicited(answer)
        if (action !== 'accept') return { action }
        return { action, content: (await parse(content)) as Parsed<S> } // what the schema parsed
      },
      key,
    )
  }
  async function elicit<S extends Schema>(message: string, schema: S, options?: ElicitOptions): Promise<Parsed<S>> {
    const elicited = await tryElicit(message, schema, options)
    if (elicited.action === 'accept') return elicited.content
    throw new Declined(elicited.action, message)
  }
  async function sample(params: CreateMessageParams, options?: AskOptions): Promise<CreateMessageResult> {
    const fault = findToolFault(params.messages as unknown as readonly JsonObject[]) // messages are plain objects
    if (fault !== undefined) throw new TypeError(`Cannot ask for a message of a model: ${fault}`)
    const { capabilities } = asking.call.downstream
    const sent = hasCapability(capabilities, 'sampling.context') ? params : withoutContext(params)
    return asking.ask({ method: 'sampling/createMessage', params: sent }, parseSampled, options?.key)
  }
  return {
    elicit: (message, schema, options) => heard(elicit(message, schema, options)),
    tryElicit: (message, schema, options) => heard(tryElicit(message, schema, options)),
    elicitUrl: (url, message, options) => heard(visit(asking, url, message, options?.key)),
    sample: (params, options) => heard(sample(params, options)),
    roots: (options) =>
      heard(asking.ask({ method: 'roots/list', params: {} }, (answer) => parseRoots(answer).roots, options?.key)),
    once: (key, work) => heard(asking.once(key, work)),
  }
}

/** What a client shows its model besides is for those that said they can (2025-11-25 client/sampling). */
function withoutContext(params: CreateMessageParams): CreateMessageParams {
  const { includeContext, ...rest } = params
  return includeContext === undefined || includeContext === 'none' ? params : rest
}

/** A handler need not wait for what it asks, and what it does not wait for must not end the process. */
function heard<T>(asked: Promise<T>): Promise<T> {
  asked.catch(() => {})
  return asked
}

/** @param elicitationId by which the visit is told to be over; default: a random one */
export async function visit(
  asking: Asking,
  url: string,
  message: string,
  key?: string,
  elicitationId: string = crypto.randomUUID(),
): Promise<VisitedPage> {
  checkUrl(url)
  const { call } = asking
  const named = call.interim.canAsk ? { elicitationId } : {}
  const request = { method: 'elicitation/create', params: { mode: 'url', message, url, ...named } }
  const { action } = await asking.ask<ElicitResult>(request, parseElicited, key)
  if (action !== 'accept') throw new Declined(action, message)
  if (!call.interim.canAsk) return { elicitationId: undefined, complete: () => {} }
  return { elicitationId, complete: () => tellComplete(call, elicitationId) }
}

function tellComplete({ interim }: Call, elicitationId: string): void {
  interim.notify({ method: 'notifications/elicitation/complete', params: { elicitationId } })
}

/** @throws {TypeError} for what no page can be at */
export function checkUrl(url: unknown): void {
  const protocol = typeof url === 'string' && URL.canParse(url) ? new URL(url).protocol : ''
  if (protocol !== 'https:' && protocol !== 'http:') {
    throw new TypeError('Cannot ask a user to open this URL: it is not an absolute one of "https:" or "http:"')
  }
}
