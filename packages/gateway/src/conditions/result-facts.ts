import type { JsonObject, Result } from '@crosspoint/mcp'

/**
 * What was answered. Its members are read when a condition asks for them: of a large answer that is only passed on, nothing is.
 */
export class ResultFacts {
  /** What a tool says of itself; false for anything else. */
  readonly isError: boolean
  readonly #method: string
  readonly #result: Result
  #text: string | undefined

  constructor(method: string, result: Result) {
    this.isError = result.isError === true
    this.#method = method
    this.#result = result
  }

  /** All text in it, a line feed between two pieces. */
  get text(): string {
    this.#text ??= toBounded(textsOf(this.#method, this.#result))
    return this.#text
  }

  /** Null where there is none. */
  get structured(): unknown {
    return this.#result.structuredContent ?? null
  }
}

/** @throws where it is longer than what is looked at: then a condition cannot be told */
function toBounded(texts: readonly string[]): string {
  const length = texts.reduce((sum, text) => sum + text.length + 1, 0)
  if (length > MAX_TEXT) throw new Error('There is too much text in the answer')
  return texts.join('\n')
}

function textsOf(method: string, result: Result): readonly string[] {
  switch (method) {
    case 'tools/call':
      return itemsOf(result.content).flatMap(textsOfBlock)
    case 'prompts/get':
      return itemsOf(result.messages).flatMap(({ content }) => itemsOf(content).flatMap(textsOfBlock))
    case 'resources/read':
      return itemsOf(result.contents).flatMap(textsOfBlock)
    default:
      return [JSON.stringify(result)]
  }
}

/** Text of a block, of a resource in it, and what a link says of where it leads. */
function textsOfBlock({ text, resource, uri, name, description }: JsonObject): readonly string[] {
  const inner = isObject(resource) ? [resource.text, resource.uri] : []
  return [text, ...inner, uri, name, description].filter((said) => typeof said === 'string')
}

/** One thing, or a list of them. */
function itemsOf(value: unknown): readonly JsonObject[] {
  return (Array.isArray(value) ? value : [value]).filter(isObject)
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Characters. */
const MAX_TEXT = 4 * 1024 * 1024
