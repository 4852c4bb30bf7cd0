import type { JsonObject } from '../jsonrpc/frame.ts'
import { isObject } from '../jsonrpc/members.ts'
import type { Notification } from './call.ts'

/**
 * What its author calls a question. Results that ask have a place for that (the keys of `inputRequests`), requests have
 * none: there it stands in `_meta`, under a key of our own, so that it is not lost where a question crosses from the one
 * to the other.
 */
const QUESTION_KEY = 'crosspoint/questionKey'

/** The request with the key of its question. */
export function withQuestionKey({ method, params }: Notification, key: string): Notification {
  const meta = isObject(params._meta) ? params._meta : {}
  return { method, params: { ...params, _meta: { ...meta, [QUESTION_KEY]: key } } }
}

/** The key of the question, where it has one that can be used, and the request without it. */
export function takeQuestionKey(request: Notification): readonly [key: string | undefined, bare: Notification] {
  const { method, params } = request
  const { _meta: meta, ...rest } = params
  if (!isObject(meta) || !Object.hasOwn(meta, QUESTION_KEY)) return [undefined, request]
  const { [QUESTION_KEY]: key, ...others } = meta
  const bare: JsonObject = Object.keys(others).length === 0 ? rest : { ...rest, _meta: others }
  const isUsable = typeof key === 'string' && key !== '' && key.length <= MAX_KEY
  return [isUsable ? key : undefined, { method, params: bare }]
}

const MAX_KEY = 128
