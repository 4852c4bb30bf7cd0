import { isObject } from '../jsonrpc/members.ts'
import type { ContentBlock } from '../protocol/features/content.ts'
import type { PromptMessage } from '../protocol/features/prompts.ts'

/** One message of a template: text with variables in it, or any content, whose text is filled in too (that of an embedded resource as well). */
export interface TemplateMessage {
  readonly role: 'user' | 'assistant'
  readonly content: string | ContentBlock
}

/**
 * A prompt without a handler: one message of the user, or several messages. `{{name}}` stands for a required argument,
 * `{{name?}}` for one that may be left out, and `\{{` for two braces. There is no logic, and nothing is escaped: a value
 * goes in as it came, and what looks like a variable in it stays as it is.
 */
export type PromptTemplate = string | readonly TemplateMessage[]

/** A template that was read. */
export interface CompiledTemplate {
  /** In the order in which they first appear, and whether each may be left out everywhere. */
  readonly variables: ReadonlyMap<string, { readonly optional: boolean }>
  fill(values: Readonly<Record<string, string>>): readonly PromptMessage[]
}

/** @throws {Error} for braces that are no variable */
export function compilePromptTemplate(template: PromptTemplate): CompiledTemplate {
  const messages = typeof template === 'string' ? [{ role: 'user' as const, content: template }] : template
  const variables = new Map<string, { optional: boolean }>()
  const read = (text: string) => {
    const parts = parseText(text)
    for (const part of parts) {
      if (typeof part === 'string') continue
      const known = variables.get(part.name)
      variables.set(part.name, { optional: part.optional && known?.optional !== false })
    }
    return parts
  }
  const compiled = messages.map(({ role, content }) => {
    const block = typeof content === 'string' ? { type: 'text' as const, text: content } : content
    const text = textOf(block)
    return { role, block, parts: text === undefined ? undefined : read(text) }
  })
  return {
    variables,
    fill: (values) =>
      compiled.map(({ role, block, parts }) => ({
        role,
        content: parts === undefined ? block : withText(block, fillText(parts, values)),
      })),
  }
}

/** Undefined for content without any. */
function textOf(block: ContentBlock): string | undefined {
  const of = block.type === 'resource' ? block.resource : block.type === 'text' ? block : undefined
  return isObject(of) && typeof of.text === 'string' ? of.text : undefined
}

/** Only of content that has a text. */
function withText(block: ContentBlock, text: string): ContentBlock {
  if (block.type === 'resource') return { ...block, resource: { ...block.resource, text } }
  return { ...block, text } as ContentBlock // of text
}

interface Variable {
  readonly name: string
  readonly optional: boolean
}

type Parts = readonly (string | Variable)[]

function parseText(text: string): Parts {
  const parts: (string | Variable)[] = []
  let from = 0
  for (const match of text.matchAll(MARK)) {
    const { index } = match
    const [mark, name, optional] = match
    parts.push(text.slice(from, index))
    if (mark === ESCAPED) parts.push(OPENING)
    else if (name === undefined) throw notVariable(text, index)
    else parts.push({ name, optional: optional !== undefined })
    from = index + mark.length
  }
  parts.push(text.slice(from))
  return parts
}

function notVariable(text: string, index: number): Error {
  const near = text.slice(index, index + 30)
  return new Error(`Cannot read the template at "${near}": write "{{name}}", "{{name?}}", or "\\{{" for two braces`)
}

function fillText(parts: Parts, values: Readonly<Record<string, string>>): string {
  return parts.map((part) => (typeof part === 'string' ? part : (values[part.name] ?? ''))).join('')
}

const OPENING = '{{'
const ESCAPED = '\\{{'
/** Escaped braces, a variable, or two braces that are neither. */
const MARK = /\\\{\{|\{\{\s*([A-Za-z_][A-Za-z0-9_.-]*)(\?)?\s*\}\}|\{\{/g
