import type { JsonObject } from '../../jsonrpc/frame.ts'
import { isObject } from '../../jsonrpc/members.ts'
import { shown } from '../../jsonrpc/shown.ts'
import { type MirroredParam, readMirroredParams } from '../../protocol/mirrored-params.ts'

/**
 * A header value for a string, number or boolean. What plain visible ASCII cannot carry, or what would be read as
 * the marker itself, travels as base64 of its UTF-8.
 */
export function encodeHeaderValue(value: string | number | boolean): string {
  const text = String(value)
  if (PLAIN.test(text) && !(text.startsWith('=?base64?') && text.endsWith('?='))) return text
  return `=?base64?${Buffer.from(text, 'utf8').toString('base64')}?=`
}

/**
 * What the tool lists that passed through said about headers. Tools whose annotations are not valid are taken out
 * of the lists (2026-07-28 server/tools: a client MUST leave them out and keep the others).
 */
export class MirroredTools {
  readonly #params = new Map<string, readonly MirroredParam[]>()
  /** What was told already: lists are read again and again. */
  readonly #told = new Set<string>()
  readonly #left: (reason: string, tool: string) => void

  /** @param left told once of each tool that was left out, and why */
  constructor(left: (reason: string, tool: string) => void) {
    this.#left = left
  }

  /** Takes in one page of tools; returns it without those that must be left out. */
  learn(result: JsonObject): JsonObject {
    const { tools } = result
    if (!Array.isArray(tools)) return result
    const kept = tools.filter((tool) => this.#learnTool(tool))
    return kept.length === tools.length ? result : { ...result, tools: kept }
  }

  /** The headers that mirror the arguments of one call, as name, value, name, value. */
  headers(params: JsonObject): readonly string[] {
    const mirrored = this.#params.get(String(params.name))
    return mirrored === undefined ? NONE : mirrorArguments(mirrored, params.arguments)
  }

  #tell(name: string, problem: string): void {
    const reason = `Left out the tool "${shown(name)}": ${problem}`
    if (this.#told.has(reason) || this.#told.size >= MAX_TOOLS) return
    this.#told.add(reason)
    this.#left(reason, name)
  }

  #learnTool(tool: unknown): boolean {
    if (typeof tool !== 'object' || tool === null) return true
    const { name, inputSchema } = tool as JsonObject // any object has members of unknown type
    if (typeof name !== 'string') return true
    const params = readMirroredParams(inputSchema)
    if (typeof params === 'string') {
      this.#params.delete(name)
      this.#tell(name, params)
      return false
    }
    if (params.length === 0) this.#params.delete(name)
    else if (this.#params.size < MAX_TOOLS) this.#params.set(name, params)
    return true
  }
}

/** The headers for one call, as name, value, name, value. */
function mirrorArguments(params: readonly MirroredParam[], args: unknown): string[] {
  const headers: string[] = []
  for (const { header, path } of params) {
    let value: unknown = args
    for (const key of path) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
    // A number of the wrong kind is mirrored as it is: the server says then what is wrong with it.
    if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') {
      headers.push(header, encodeHeaderValue(value))
    }
  }
  return headers
}

const NONE: readonly string[] = []
/** Tools with annotations remembered for one server. */
const MAX_TOOLS = 10_000
/** Visible ASCII with blanks and tabs inside only, or nothing at all. */
const PLAIN = /^(?:[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?$/
