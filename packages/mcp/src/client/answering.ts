import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'
import type { Result } from '../protocol/call.ts'
import type { CreateMessageParams, ElicitResult } from '../protocol/features/asking.ts'
import { parseUrl } from '../protocol/url.ts'
import { readForm } from './form.ts'
import type { Answering, ElicitForm, ElicitUrl, Handlers, Question } from './handlers.ts'
import { checkSampleRequest } from './sampling.ts'

/**
 * Answers a server's questions by the handlers, whichever way they came. The question is read before anybody hears
 * of it: kinds that were not declared and shapes the protocol does not have are refused with
 * `caller.invalid_params`, the caller being the server.
 */
export function createAnswering(handlers: Handlers): Answering {
  return (method, params, question) => {
    switch (method) {
      case 'elicitation/create':
        return params.mode === 'url' ? openPage(handlers, params, question) : fillForm(handlers, params, question)
      case 'sampling/createMessage':
        return sample(handlers, params, question)
      case 'roots/list':
        return listRoots(handlers, question)
      default:
        return Promise.reject(undeclared(method))
    }
  }
}

async function fillForm({ elicit }: Handlers, params: JsonObject, question: Question): Promise<Result> {
  if (elicit === undefined) throw invalid('this client did not declare that it shows forms')
  const { mode, message, requestedSchema } = params
  if (mode !== undefined && mode !== 'form') throw invalid(`there is no mode "${String(mode).slice(0, 40)}"`)
  if (typeof message !== 'string') throw invalid('"message" is not a text')
  if (!isObject(requestedSchema)) throw invalid('"requestedSchema" is not an object')
  const form = readForm(requestedSchema)
  const properties = isObject(requestedSchema.properties) ? requestedSchema.properties : {}
  const asked: ElicitForm = { ...params, message, requestedSchema: { ...requestedSchema, properties } }
  const answer = toAnswer(await elicit(asked, question))
  if (answer.action !== 'accept') return answer
  return { action: 'accept', content: form.complete(answer.content ?? {}) }
}

/** The page is for the person: it is not fetched here, not even to see whether it is there. */
async function openPage({ elicitUrl }: Handlers, params: JsonObject, question: Question): Promise<Result> {
  if (elicitUrl === undefined) throw invalid('this client did not declare that it opens URLs')
  const { message, url } = params
  if (typeof message !== 'string') throw invalid('"message" is not a text')
  if (typeof url !== 'string' || !isWebPage(url)) throw invalid('"url" is not an http or https URL')
  const { action } = toAnswer(await elicitUrl(params as ElicitUrl, question)) // read just above
  return { action }
}

async function sample({ sample: handler }: Handlers, params: JsonObject, question: Question): Promise<Result> {
  if (handler === undefined) throw undeclared('sampling/createMessage')
  const { create, tools = false } = typeof handler === 'function' ? { create: handler } : handler
  checkSampleRequest(params, tools)
  return create(params as CreateMessageParams, question) // read just above
}

async function listRoots({ roots }: Handlers, question: Question): Promise<Result> {
  if (roots === undefined) throw undeclared('roots/list')
  return { roots: typeof roots === 'function' ? await roots(question) : roots }
}

/** Handlers in plain JavaScript return what they like. */
function toAnswer(answer: ElicitResult): ElicitResult {
  const { action } = answer ?? {}
  if (action === 'accept') return answer
  if (action === 'decline' || action === 'cancel') return { action }
  const message = `Cannot send an answer whose action is "${String(action)}"; accept, decline and cancel are known`
  throw new McpError('internal.error', message)
}

function isWebPage(url: string): boolean {
  return /^https?:$/.test(parseUrl(url)?.protocol ?? '')
}

function invalid(why: string): McpError {
  return new McpError('caller.invalid_params', `Cannot answer "elicitation/create": ${why}`)
}

function undeclared(method: string): McpError {
  return new McpError('caller.missing_capability', `Cannot answer "${method}": this client did not declare it`)
}
