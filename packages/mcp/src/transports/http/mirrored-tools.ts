import type { JsonObject } from '../../jsonrpc/frame.ts'
import { type MirroredParam, mirrorArguments, readMirroredParams } from './mirror.ts'

/**
 * What the tool lists that passed through said about headers. Tools whose annotations are not valid are taken out
 * of the lists (2026-07-28 server/tools: a client MUST leave them out and keep the others).
 */
export class MirroredTools {
  readonly #params = new Map<string, readonly MirroredParam[]>()
  readonly #left: (reason: string, tool: string) => void

  /** @param left told of each tool that was left out, and why */
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

  #learnTool(tool: unknown): boolean {
    if (typeof tool !== 'object' || tool === null) return true
    const { name, inputSchema } = tool as JsonObject // any object has members of unknown type
    if (typeof name !== 'string') return true
    const params = readMirroredParams(inputSchema)
    if (typeof params === 'string') {
      this.#params.delete(name)
      this.#left(`Left out the tool "${name}": ${params}`, name)
      return false
    }
    if (params.length === 0) this.#params.delete(name)
    else if (this.#params.size < MAX_TOOLS) this.#params.set(name, params)
    return true
  }
}

const NONE: readonly string[] = []
/** Tools with annotations remembered for one server. */
const MAX_TOOLS = 10_000
