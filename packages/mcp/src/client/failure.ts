import { McpError } from '../errors.ts'
import { isObject } from '../jsonrpc/members.ts'
import type { Answer, Refusal } from '../peer/pending.ts'
import type { Revision } from '../revisions/revision.ts'

/** An answer that is no result, as an error a caller of ours can be told. */
export function toFailure(answer: Exclude<Answer, { kind: 'result' }>, method: string, revision: Revision): McpError {
  const failure = toError(answer, method, revision)
  if (answer.status !== undefined) statuses.set(failure, answer.status)
  return failure
}

/** The HTTP status that a failure came with, for those who decide by it what to try next. */
export function statusOf(failure: unknown): number | undefined {
  return failure instanceof McpError ? statuses.get(failure) : undefined
}

const statuses = new WeakMap<McpError, number>()

function toError(answer: Exclude<Answer, { kind: 'result' }>, method: string, revision: Revision): McpError {
  if (answer.kind === 'refused') return toRefusal(answer, method)
  const { error, status } = answer
  if (status === 401 || status === 403) {
    const message = `The server refuses "${method}" (HTTP ${status}): ${printable(error.message)}`
    return new McpError('upstream.unauthorized', message)
  }
  if (status === 429 || status === 503) return toBusy(status, error.message, answer.retryAfter, method)
  // What these codes are about is what revisions with an envelope have; in older ones they are a server's own.
  const isModern = revision.traits.errorCodes === 'modern'
  if (isModern && error.code === MISSING_CAPABILITY) {
    // The object describes our envelope; only the names of what is missing are of use to who is behind us.
    const required = isObject(error.data) ? error.data.requiredCapabilities : undefined
    return new McpError('caller.missing_capability', error.message, {
      ...(isObject(required) ? { data: { requiredCapabilities: required } } : {}),
    })
  }
  if (isModern && (error.code === HEADER_MISMATCH || error.code === UNSUPPORTED_REVISION)) {
    return new McpError('upstream.protocol', `Cannot agree with the server on "${method}": ${printable(error.message)}`)
  }
  const rpc = revision.upError(error, method)
  if (status === 404 && OPENING.has(method)) {
    const message = `Cannot send "${method}": the server answers HTTP 404 (${printable(rpc.message)}); check the path of the URL`
    return new McpError('upstream.error', message, { rpc })
  }
  return new McpError('upstream.error', rpc.message, { rpc })
}

function toRefusal({ status, text, location, challenge, retryAfter }: Refusal, method: string): McpError {
  const said = text.trim() === '' ? '' : `: ${printable(text)}`
  if (status === 401 || status === 403) {
    return new McpError('upstream.unauthorized', `The server refuses "${method}" (HTTP ${status})`, {
      cause: challenge,
    })
  }
  if (location !== undefined && status < 400) {
    return new McpError(
      'upstream.unavailable',
      `Cannot send "${method}": the server redirects to "${printable(location)}"; use that URL if it is the right one`,
    )
  }
  if (status === 404 || status === 405) {
    return new McpError(
      'upstream.unavailable',
      `Cannot send "${method}": nothing speaks MCP at this URL (HTTP ${status}); check its path`,
      { neverRan: true },
    )
  }
  if (status < 500 && status !== 408 && status !== 429) {
    return new McpError('upstream.protocol', `The server does not accept "${method}" (HTTP ${status})${said}`)
  }
  return toBusy(status, text, retryAfter, method)
}

/** @param retryAfter as it came; what is no number of seconds says nothing */
function toBusy(status: number, text: string, retryAfter: string | undefined, method: string): McpError {
  const said = text.trim() === '' ? '' : `: ${printable(text)}`
  const seconds = /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) : undefined
  return new McpError('upstream.unavailable', `The server fails at "${method}" (HTTP ${status})${said}`, {
    ...(seconds === undefined ? {} : { data: { retryAfterMs: seconds * 1_000 } }),
    // Who is too busy and says when to come back has not begun (RFC 9110 §15.6.4, RFC 6585 §4).
    neverRan: seconds !== undefined && (status === 429 || status === 503),
  })
}

/** Text of a server inside our own sentences: one line, short. */
function printable(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, 200)
}

/** What a client says first: a path where that is not found is the wrong one. */
const OPENING: ReadonlySet<string> = new Set(['initialize', 'server/discover'])
export const HEADER_MISMATCH = -32020
export const MISSING_CAPABILITY = -32021
export const UNSUPPORTED_REVISION = -32022
