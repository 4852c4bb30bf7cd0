import { McpError } from '../../errors.ts'
import { isObject } from '../../jsonrpc/members.ts'
import { shown } from '../../jsonrpc/shown.ts'
import type { CreateMessageResult, ElicitResult, ListRootsResult } from '../../protocol/features/asking.ts'

/** Answers of clients, untrusted: each of these throws `caller.invalid_params` for what has not the shape it needs. */

export function parseElicited(answer: unknown): ElicitResult {
  if (!isObject(answer)) throw malformed('an elicitation', 'it is not an object')
  const { action, content } = answer
  if (action === 'decline' || action === 'cancel') return { action }
  if (action !== 'accept') throw malformed('an elicitation', '"action" is not "accept", "decline" or "cancel"')
  if (content !== undefined && !isObject(content)) throw malformed('an elicitation', '"content" is not an object')
  return content === undefined ? { action } : { action, content }
}

export function parseSampled(answer: unknown): CreateMessageResult {
  if (!isObject(answer)) throw malformed('sampling', 'it is not an object')
  const { role, content, model } = answer
  if (role !== 'user' && role !== 'assistant') throw malformed('sampling', '"role" is not "user" or "assistant"')
  if (typeof model !== 'string') throw malformed('sampling', '"model" is not a string')
  if (!(isObject(content) || (Array.isArray(content) && content.every(isObject)))) {
    throw malformed('sampling', '"content" is neither a block nor a list of blocks')
  }
  return { ...answer, role, content, model }
}

export function parseRoots(answer: unknown): ListRootsResult {
  if (!isObject(answer) || !Array.isArray(answer.roots)) throw malformed('the roots', '"roots" is not a list')
  const roots: readonly unknown[] = answer.roots
  return {
    roots: roots.map((root) => {
      if (isObject(root) && typeof root.uri === 'string') return { ...root, uri: root.uri }
      throw malformed('the roots', 'one of them has no "uri"')
    }),
  }
}

export function malformed(what: string, why: string): McpError {
  return new McpError('caller.invalid_params', `Cannot read the answer to ${what}: ${shown(why)}`)
}
