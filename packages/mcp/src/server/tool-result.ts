import type { CallToolResult } from '../protocol/features/tools.ts'
import { checkBlock, checkBlocks, isMeantAsBlock, isMeantAsBlocks, nameOf } from './blocks.ts'
import { findUnsendable } from './unsendable.ts'

/**
 * What a tool handler may return, and what becomes of it where the tool has no `output` schema:
 * - text, and as text also numbers, yes or no and null; nothing returned means no content
 * - a content block, or a list of them: sent as content
 * - a full result: `content` is a list of content blocks, and the other members are those of a result; or its
 *   `resultType` is `input_required`
 * - any other object: `structuredContent` and, spelled out, text
 * - any other list, an empty one too: text alone, as structured content is an object in all revisions but the newest
 *
 * An object is a content block where it has the `type` of one, another member, and no members that are not its kind's; a
 * list is one of blocks where each of its elements has the `type` of one. What is meant as content and cannot be sent as
 * such is an error that names the member.
 *
 * With an `output` schema a value is structured content whatever it is, and content goes beside it in a full result,
 * which has `structuredContent`, `isError: true` or `input_required`. Where that schema describes a member `content` of its
 * own, what conforms to it is the value.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler that returns nothing is meant
export type ToolOutput = string | number | boolean | null | undefined | void | object

/**
 * For a tool without an output schema.
 * @throws {TypeError} for what cannot be sent, with what would work
 */
export function toToolResult(output: ToolOutput): CallToolResult {
  if (typeof output === 'string') return { content: [{ type: 'text', text: output }] }
  if (output === undefined) return NO_CONTENT
  if (typeof output !== 'object' || output === null) return { content: [{ type: 'text', text: toText(output) }] }
  if (Array.isArray(output)) {
    if (isMeantAsBlocks(output)) return { content: checkBlocks(SENDING, output, '', AS_VALUE) }
    return { content: [{ type: 'text', text: toText(output) }] }
  }
  if (isFullResult(output)) return withText(output)
  if (isMeantAsBlock(output)) return { content: [checkBlock(SENDING, output, '', AS_VALUE)] }
  return toStructuredResult(output)
}

/** The value as structured content, and spelled out for those who do not know that. */
export function toStructuredResult(value: unknown): CallToolResult {
  return { content: [{ type: 'text', text: toText(value) }], structuredContent: value }
}

/** A result with structured content and no other has it as text too, for those who do not know it (server/tools). */
export function withText(result: CallToolResult): CallToolResult {
  const { structuredContent, content } = result
  if (structuredContent === undefined || (Array.isArray(content) && content.length > 0)) return result
  return { ...result, content: [{ type: 'text', text: toText(structuredContent) }] }
}

export function toFailedResult(text: string): CallToolResult {
  return { content: [{ type: 'text', text }], isError: true }
}

function toText(value: unknown): string {
  let text: unknown
  try {
    text = JSON.stringify(value)
  } catch (error) {
    const unsendable = findUnsendable(value)
    throw unsendable === undefined ? error : new TypeError(unsendable, { cause: error })
  }
  // What came out like this may have been something else; a search of the text is all that others pay for that.
  if (typeof text === 'string' && !isSuspect(text)) return text
  const unsendable = findUnsendable(value)
  if (unsendable !== undefined || typeof text !== 'string')
    throw new TypeError(unsendable ?? 'Cannot send a tool output that is not JSON')
  return text
}

/** What becomes of a Map and the like, of a list of bytes, and of Node's. */
function isSuspect(text: string): boolean {
  return text.includes('{}') || text.includes('{"0":') || text.includes('{"type":"Buffer"')
}

/**
 * Whether this is a result and no value of the author's own.
 * @throws {TypeError} for what is meant as one, where its content cannot be sent
 */
export function isFullResult(output: unknown): output is CallToolResult {
  if (typeof output !== 'object' || output === null || Array.isArray(output)) return false
  const { content, resultType, structuredContent } = output as Partial<Record<string, unknown>>
  if (resultType === 'input_required') return true
  if (content === undefined && structuredContent === undefined) return false
  const { isError } = output as { isError?: unknown }
  if (isError !== undefined && typeof isError !== 'boolean') return false
  if (typeof resultType !== 'string' && !Object.keys(output).every((name) => RESULT_MEMBERS.has(name))) return false
  const saysMore = structuredContent !== undefined || isError !== undefined
  if (!Array.isArray(content)) {
    if (!saysMore) return false
    const fault = `content is ${nameOf(content)}, and must be a list of content blocks in a full result`
    throw new TypeError(`Cannot send ${SENDING}: ${fault}${AS_VALUE}`)
  }
  if (!saysMore && content.length > 0 && !isMeantAsBlocks(content)) return false
  checkBlocks(SENDING, content, 'content', AS_VALUE)
  return true
}

/** With an output schema a result says more than its content, which may be a member of the value otherwise. */
export function isFullerResult(output: unknown): output is CallToolResult {
  if (typeof output !== 'object' || output === null) return false
  const { resultType, structuredContent, isError } = output as Partial<CallToolResult>
  const saysMore = structuredContent !== undefined || isError === true || resultType === 'input_required'
  return saysMore && isFullResult(output)
}

const NO_CONTENT: CallToolResult = Object.freeze({ content: [] })
const RESULT_MEMBERS: ReadonlySet<string> = new Set(['content', 'structuredContent', 'isError', 'resultType', '_meta'])
const SENDING = 'what a tool returned'
const AS_VALUE = '; a value of your own that looks like this is sent where the tool has an "output" schema'
