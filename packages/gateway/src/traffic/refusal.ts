import { McpError, type Result } from '@crosspoint/mcp'
import type { Passage } from '../routes/passage.ts'

/**
 * Why a call is not served now, and when it may be tried again.
 * @param about names what refuses, or which server it is about
 */
export function toRefusal(
  code: 'policy.limit' | 'policy.busy' | 'upstream.unavailable',
  sentence: string,
  about: { readonly limit: string } | { readonly upstream: string },
  retryAfterMs: number,
): McpError {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000))
  const message = `${sentence}. Try again in ${seconds} s`
  return new McpError(code, message, { data: { ...about, retryAfterMs: Math.ceil(retryAfterMs) } })
}

/**
 * The answer to a call that is refused so: a model gets words it can act on, everything else the error.
 * @throws the error
 */
export function refuse(call: Passage, error: McpError): Result {
  if (call.method !== 'tools/call') throw error
  call.refusal = error
  return { content: [{ type: 'text', text: `${error.message}.` }], isError: true }
}

/** Where nobody can tell whether it would be too much. */
export const UNCOUNTED = 'Calls cannot be counted now'
