import type { ContentBlock } from '../protocol/features/content.ts'
import type { CallToolResult } from '../protocol/features/tools.ts'
import { findUnsendable } from './unsendable.ts'

/**
 * What a tool handler may return: text; content blocks; a full result (an object whose `content` is a list of
 * content blocks, or whose `resultType` is `input_required`); or an object, sent as `structuredContent` and, spelled out, as
 * text. Nothing returned means no content. For a tool with an output schema every value but a full result is
 * structured content.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler that returns nothing is meant
export type ToolOutput = string | number | boolean | null | undefined | void | object

/** For a tool without an output schema. */
export function toToolResult(output: ToolOutput): CallToolResult {
  if (isFullResult(output)) return withText(output)
  if (output === undefined) return NO_CONTENT
  if (typeof output === 'string') return { content: [{ type: 'text', text: output }] }
  if (Array.isArray(output) && output.every(isContentBlock)) return { content: output }
  if (typeof output === 'object' && output !== null) return toStructuredResult(output)
  return { content: [{ type: 'text', text: toText(output) }] }
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
  // What came out empty may have had something in it; a search of the text is all that others pay for that.
  if (typeof text === 'string' && !text.includes('{}')) return text
  const unsendable = findUnsendable(value)
  if (unsendable !== undefined || typeof text !== 'string')
    throw new TypeError(unsendable ?? 'Cannot send a tool output that is not JSON')
  return text
}

export function isFullResult(output: unknown): output is CallToolResult {
  if (typeof output !== 'object' || output === null || Array.isArray(output)) return false
  const { content, resultType } = output as { content?: unknown; resultType?: unknown }
  return (Array.isArray(content) && content.every(isContentBlock)) || RESULT_TYPES.has(resultType)
}

function isContentBlock(value: unknown): value is ContentBlock {
  return typeof value === 'object' && value !== null && BLOCK_TYPES.has((value as { type?: unknown }).type)
}

const NO_CONTENT: CallToolResult = Object.freeze({ content: [] })
const BLOCK_TYPES: ReadonlySet<unknown> = new Set(['text', 'image', 'audio', 'resource', 'resource_link'])
/** Results that need no content: the tool asks for something first. */
const RESULT_TYPES: ReadonlySet<unknown> = new Set(['input_required'])
