import { McpError } from '../errors.ts'
import { type CompiledJsonSchema, compileJsonSchema } from '../json-schema/index.ts'
import { isObject } from '../jsonrpc/members.ts'
import type { Notification } from '../protocol/call.ts'
import type { CallToolResult, ListToolsResult } from '../protocol/features/tools.ts'

/** The output schema of a tool, as it was listed last. */
interface Listed {
  readonly text: string
  /** Made when the tool is first called; null for a schema that cannot be used. */
  compiled: CompiledJsonSchema | null | undefined
}

/**
 * Holds servers to their word: the structured content of a tool conforms to the output schema it was listed with
 * (2026-07-28 server/tools). A tool whose listing nobody has seen is not checked, and neither are results that say
 * that the tool failed.
 */
export class OutputCheck {
  readonly #fault: (reason: string, sample: string) => void
  #listed = new Map<string, Listed>()
  /** The list before, for schemas that did not change. */
  #before: ReadonlyMap<string, Listed> = new Map()
  #room = MAX_CHARACTERS
  #changes = 0

  /** @param fault told once of each schema that cannot be used */
  constructor(fault: (reason: string, sample: string) => void = () => {}) {
    this.#fault = fault
  }

  /** How often the list is said to have changed. */
  get changes(): number {
    return this.#changes
  }

  /**
   * @param isFirst a list begins with this page, and what was known of the one before does not count any more
   * @param since {@link changes} as the page was asked for: one that was under way during a change is passed over
   */
  note({ tools }: ListToolsResult, isFirst: boolean, since = this.#changes): void {
    if (since !== this.#changes) return
    if (isFirst) {
      this.#before = this.#listed
      this.#listed = new Map()
      this.#room = MAX_CHARACTERS
    }
    if (!Array.isArray(tools)) return
    for (const tool of tools as readonly unknown[]) if (isObject(tool)) this.#noteTool(tool.name, tool.outputSchema)
  }

  /** When the list is another now, nothing is checked until it was seen. */
  hear({ method }: Notification): void {
    if (method !== 'notifications/tools/list_changed') return
    this.#changes++
    if (this.#listed.size > 0) this.#before = this.#listed
    this.#listed = new Map()
  }

  /** @throws {McpError} `upstream.protocol` for a result that is not what the tool said it would be */
  check(name: string, result: CallToolResult): CallToolResult {
    const listed = this.#listed.get(name)
    const isOther = result.resultType !== undefined && result.resultType !== 'complete'
    if (listed === undefined || isOther || result.isError === true) return result
    if (listed.compiled === undefined) listed.compiled = this.#compile(name, listed.text)
    const why = listed.compiled === null ? undefined : faultOf(listed.compiled, result)
    if (why === undefined) return result
    throw new McpError('upstream.protocol', `The tool "${name}" answered what its own output schema forbids: ${why}`)
  }

  #noteTool(name: unknown, schema: unknown): void {
    if (typeof name !== 'string' || schema === undefined) return
    const text = JSON.stringify(schema)
    this.#room -= name.length + text.length
    if (this.#room < 0) return
    const before = this.#before.get(name)
    this.#listed.set(name, before?.text === text ? before : { text, compiled: undefined })
  }

  #compile(name: string, text: string): CompiledJsonSchema | null {
    try {
      return compileJsonSchema(JSON.parse(text))
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      this.#fault(`The output of the tool "${name}" is not checked, its schema cannot be used: ${why}`, '')
      return null
    }
  }
}

function faultOf({ validate }: CompiledJsonSchema, { structuredContent }: CallToolResult): string | undefined {
  return structuredContent === undefined ? 'there is no structured content' : validate(structuredContent)?.text
}

/** Of all schemas of one list. Those beyond are not checked. */
const MAX_CHARACTERS = 16 * 1024 * 1024
