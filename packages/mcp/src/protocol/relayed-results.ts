import { McpError } from '../errors.ts'
import type { FrameLimits } from '../jsonrpc/limits.ts'
import { type Outline, outlineResult } from '../jsonrpc/outline.ts'
import { cut, mayHoldMark, Relayed, toPieces, toText } from '../jsonrpc/relayed.ts'
import { sizeOf } from '../jsonrpc/size.ts'
import type { Result } from './call.ts'

/** A result that was not parsed, and what it answers. */
export interface RelayedAnswer {
  readonly id: number
  readonly result: Result
}

/**
 * Reads a response without parsing its result (`docs/adr/0015-relayed-results.md`).
 * @param pieces UTF-8, cut anywhere
 * @returns undefined for anything that is better parsed, which says what it is or what is wrong with it
 */
export function relay(pieces: readonly Uint8Array[], limits: FrameLimits): RelayedAnswer | undefined {
  const outline = outlineResult(pieces, limits.maxDepth, RESOURCE)
  const id = outline === undefined ? undefined : toId(pieces, outline)
  if (outline === undefined || id === undefined) return undefined
  try {
    // The members of a result are not known yet: `Result` says of two what they are, and their readers check it.
    return { id, result: Relayed.from(pieces, outline.result, limits) as Result }
  } catch (error) {
    if (error instanceof McpError) return undefined
    throw error
  }
}

/** The id of a response that is nothing else: ours are whole numbers. */
function toId(pieces: readonly Uint8Array[], { message }: Outline): number | undefined {
  const texts = new Map<string, string>()
  for (const { key, from, to } of message) {
    if (key !== 'result' && to - from > MAX_TEXT) return undefined
    texts.set(key, key === 'result' ? '' : toText(cut(pieces, from, to)).trim())
  }
  const id = texts.get('id') ?? ''
  return texts.size === 3 && texts.get('jsonrpc') === '"2.0"' && /^\d{1,15}$/.test(id) ? Number(id) : undefined
}

/** Whether the results of a method may be large, and are content that nobody on the way needs. */
export function isRelayable(method: string): boolean {
  return RELAYABLE.has(method)
}

/**
 * Whether a member of a result may hold links to resources or resources themselves, without reading what was relayed. One
 * whose type is written with an escape is not seen: its server has hidden it from everybody who does not parse, and gets
 * its own URI back.
 */
export function mayHoldResources(result: Result, member: string): boolean {
  return mayHoldMark(result, member)
}

/** How many bytes a result is as JSON, without reading what was relayed. */
export function sizeOfResult(result: Result): number {
  if (!(result instanceof Relayed)) return sizeOf(result)
  return toPieces(result, '', '').reduce((sum, piece) => sum + piece.length, 0)
}

/** Bytes of an id of ours, or of a version. */
const MAX_TEXT = 64
const RELAYABLE: ReadonlySet<string> = new Set(['tools/call', 'resources/read', 'prompts/get'])
/** How the types of both begin: `resource`, `resource_link`. */
const RESOURCE = 'resource'
