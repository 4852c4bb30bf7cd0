import { isObject } from '../jsonrpc/members.ts'
import type { Result } from '../protocol/call.ts'
import type { InputRequiredResult } from '../protocol/features/asking.ts'
import type { ContentBlock } from '../protocol/features/content.ts'
import type { GetPromptResult, PromptMessage } from '../protocol/features/prompts.ts'
import { checkBlock, nameOf } from './blocks.ts'
import type { TemplateMessage } from './prompt-template.ts'

/** One message: text or a content block are what the user says; or whoever has the `role`, in text or a block. */
export type PromptPart = string | ContentBlock | TemplateMessage

/**
 * What a prompt handler may return: one message, a list of them, or a full result, which has `messages` and its own
 * `description`, or the `resultType` `input_required`. Anything else is an error that says what it is.
 */
export type PromptOutput =
  | PromptPart
  | readonly PromptPart[]
  | (Omit<GetPromptResult, 'messages'> & { readonly messages: readonly PromptPart[] })
  | InputRequiredResult

/**
 * @param description of the prompt, for all but a full result
 * @throws {TypeError} for what is no message, with what would work
 */
export function toPromptResult(description: string | undefined, output: unknown): Result {
  const described = description === undefined ? {} : { description }
  if (Array.isArray(output)) return { ...described, messages: toMessages(output, '') }
  if (!isObject(output)) return { ...described, messages: [toMessage(output, 'it')] }
  if (output.resultType === 'input_required') return output
  if (!Object.hasOwn(output, 'messages')) return { ...described, messages: [toMessage(output, 'it')] }
  const { messages } = output
  if (Array.isArray(messages)) return { ...output, messages: toMessages(messages, 'messages') }
  throw new TypeError(`Cannot send ${SENDING}: messages is ${nameOf(messages)}, and must be a list`)
}

function toMessages(parts: readonly unknown[], at: string): readonly PromptMessage[] {
  return parts.map((part, index) => toMessage(part, `${at}[${index}]`))
}

function toMessage(part: unknown, at: string): PromptMessage {
  if (typeof part === 'string') return { role: 'user', content: toBlock(part, at) }
  if (!isObject(part)) throw new TypeError(`Cannot send ${SENDING}: ${at} is ${nameOf(part)}; ${USAGE}`)
  const { role, content } = part
  if (role === undefined && content === undefined) {
    if (part.type === undefined) throw new TypeError(`Cannot send ${SENDING}: ${at} is no message; ${USAGE}`)
    return { role: 'user', content: toBlock(part, at) }
  }
  if (role !== 'user' && role !== 'assistant') {
    throw new TypeError(`Cannot send ${SENDING}: ${at}.role is ${nameOf(role)}, and must be "user" or "assistant"`)
  }
  return { ...part, role, content: toBlock(content, `${at}.content`) }
}

function toBlock(content: unknown, at: string): ContentBlock {
  return typeof content === 'string' ? { type: 'text', text: content } : checkBlock(SENDING, content, at)
}

const SENDING = 'what a prompt returned'
const USAGE = "return text, a content block, { role: 'user', content: '…' }, or a list of these"
