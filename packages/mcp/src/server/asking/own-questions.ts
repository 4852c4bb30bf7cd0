import { isObject } from '../../jsonrpc/members.ts'
import { shown } from '../../jsonrpc/shown.ts'
import type { Call, Result } from '../../protocol/call.ts'
import { checkMayAsk, toRequiredCapabilities } from '../../protocol/features/asking.ts'
import { nameOf } from '../blocks.ts'
import type { ServerSettings } from '../settings.ts'
import { checkUrl } from './asker.ts'
import { UnsuitedForm } from './errors.ts'
import { toForm } from './form.ts'

/**
 * A handler may ask by what it returns, and is held to the rules of one that asks by its context.
 * @throws {TypeError} which says what cannot be asked, for the author
 * @throws {UnsuitedForm} for a form that is none; the log has been told
 * @throws {McpError} `caller.missing_capability` for what the caller did not declare
 */
export function checkOwnQuestions({ log }: ServerSettings, call: Call, asked: Result): void {
  const { inputRequests, requestState } = asked
  if (requestState !== undefined && typeof requestState !== 'string') {
    throw unaskable(`its requestState is ${nameOf(requestState)}, and must be text: ctx.sealState makes one of a value`)
  }
  if (inputRequests === undefined) {
    if (requestState === undefined) throw unaskable('it has neither inputRequests nor a requestState')
    return
  }
  if (!isObject(inputRequests)) {
    throw unaskable(`its inputRequests are ${nameOf(inputRequests)}, and must be an object of questions by their names`)
  }
  for (const [key, request] of Object.entries(inputRequests)) {
    try {
      checkOwnQuestion(call, key, request)
    } catch (error) {
      if (error instanceof UnsuitedForm) log({ level: 'error', event: 'form_unsuited', method: call.method, error })
      throw error
    }
  }
}

function checkOwnQuestion({ downstream }: Call, key: string, request: unknown): void {
  const at = `inputRequests[${JSON.stringify(shown(key))}]`
  if (!isObject(request)) {
    throw unaskable(`${at} is ${nameOf(request)}, and must be a question such as { method: 'roots/list', params: {} }`)
  }
  const { method, params = {} } = request
  if (!isObject(params)) throw unaskable(`${at}.params is ${nameOf(params)}, and must be an object`)
  if (typeof method !== 'string' || toRequiredCapabilities({ method, params }) === undefined) {
    throw unaskable(`${at}.method is ${nameOf(method)}, and must be ${QUESTIONS}`)
  }
  checkMayAsk(downstream.capabilities, { method, params })
  if (method !== 'elicitation/create') return
  if (params.mode === 'url') checkUrl(params.url)
  else if (isObject(params.requestedSchema)) toForm(params.requestedSchema)
  else throw unaskable(`${at}.params.requestedSchema is ${nameOf(params.requestedSchema)}, and must be a form`)
}

function unaskable(fault: string): TypeError {
  return new TypeError(`Cannot ask by a result with the resultType "input_required": ${fault}`)
}

const QUESTIONS = '"elicitation/create", "sampling/createMessage" or "roots/list"'
