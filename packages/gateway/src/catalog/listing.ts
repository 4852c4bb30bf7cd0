import {
  ANONYMOUS,
  type Call,
  cancellationOf,
  type Handle,
  type JsonObject,
  McpError,
  type Meta,
  NEWEST,
  NO_INTERIM,
  TASKS,
} from '@crosspoint/mcp'
import { shown } from '../shown.ts'
import { type Item, KINDS, type Kind, keyOf } from './kinds.ts'
import { toWellFormed } from './well-formed.ts'

/** What the list of one kind may cost us. */
export interface ListBounds {
  /** Default 1,000. */
  readonly maxPages: number
  /** Default 10,000. */
  readonly maxItems: number
  /** Characters of JSON, all pages together. Default 32 Mi. */
  readonly maxChars: number
}

export const LIST_BOUNDS: ListBounds = Object.freeze({
  maxPages: 1_000,
  maxItems: 10_000,
  maxChars: 32 * 1024 * 1024,
})

export interface Listed {
  readonly items: readonly Item[]
  /** Why this is not everything, or undefined. */
  readonly problem: string | undefined
  /** How long the server says that it holds, in milliseconds: of its pages, that which holds the shortest. */
  readonly ttlMs?: number
  /** What was left out of its tools without taking anything from those who call them: sentences for the log. */
  readonly warnings?: readonly string[]
}

/**
 * Reads all pages of one list. A method the server lacks gives an empty list. What breaks a bound or has no key is
 * left out and named in `problem`.
 * @param known items of the last time: one that did not change is returned as that very object
 * @throws whatever the handle throws on the first page; a later page that fails ends the list with a problem
 */
export async function listAll(
  handle: Handle,
  kind: Kind,
  signal: AbortSignal,
  known: readonly Item[] = [],
  bounds: ListBounds = LIST_BOUNDS,
): Promise<Listed> {
  const { method, listKey } = KINDS[kind]
  const collected = createCollection(kind, known, bounds)
  const seen = new Set<string>()
  let params: JsonObject = {}
  let ttlMs: number | undefined
  for (let page = 0; page < bounds.maxPages; page++) {
    let result: JsonObject
    try {
      result = await handle(toOwnCall(method, params, signal, NO_INTERIM, kind === 'tools' ? KNOWS_TASKS : NOBODY))
    } catch (error) {
      if (isLacking(error)) return collected.end(page === 0 ? undefined : 'the list broke off')
      if (page === 0 || !(error instanceof McpError)) throw error
      return collected.end(`page ${page + 1} failed: ${shown(error.message)}`)
    }
    const { [listKey]: items, nextCursor } = result
    if (typeof result.ttlMs === 'number') ttlMs = Math.min(ttlMs ?? result.ttlMs, result.ttlMs)
    if (!Array.isArray(items)) return collected.end(`"${listKey}" is not a list`)
    if (!collected.add(items)) return collected.end('the list is too long and was cut')
    // "" is a cursor like any other; only absence ends a list.
    if (typeof nextCursor !== 'string') {
      return ttlMs === undefined ? collected.end(undefined) : { ...collected.end(undefined), ttlMs }
    }
    if (seen.has(nextCursor)) return collected.end('its pages go round in a circle')
    seen.add(nextCursor)
    params = { cursor: nextCursor }
  }
  return collected.end(`the list has more than ${bounds.maxPages} pages and was cut`)
}

interface Collection {
  /** False when a bound was reached. */
  add(items: readonly unknown[]): boolean
  end(problem: string | undefined): Listed
}

function createCollection(kind: Kind, known: readonly Item[], bounds: ListBounds): Collection {
  const before = new Map(known.map((item) => [keyOf(kind, item), item]))
  const items = new Map<string, Item>()
  let chars = 0
  let unusable = 0
  let mended = 0
  const warnings: string[] = []
  return {
    add(page) {
      for (const listed of page) {
        const fit = isItem(kind, listed) && !items.has(keyOf(kind, listed)) ? toWellFormed(kind, listed) : undefined
        if (fit === undefined) {
          unusable++
          continue
        }
        const { item, badHeader } = fit
        if (fit.lost) mended++
        if (badHeader !== undefined && warnings.length < MAX_WARNINGS) {
          warnings.push(`Left an annotation out of the tool "${shown(keyOf(kind, item))}": ${badHeader}`)
        }
        const text = JSON.stringify(item)
        chars += text.length
        if (items.size >= bounds.maxItems || chars > bounds.maxChars) return false
        const old = before.get(keyOf(kind, item))
        items.set(keyOf(kind, item), old !== undefined && JSON.stringify(old) === text ? old : item)
      }
      return true
    },
    end(problem) {
      const skipped =
        unusable === 0
          ? undefined
          : `${unusable} of its ${kind} were left out: no name, one used before, or a wrong shape`
      const lost =
        mended === 0 ? undefined : `${mended} of its ${kind} have members of a wrong shape, which are left out`
      const problems = [problem, skipped, lost].filter((text) => text !== undefined)
      return {
        items: [...items.values()],
        problem: problems.length === 0 ? undefined : problems.join('; '),
        ...(warnings.length === 0 ? {} : { warnings }),
      }
    },
  }
}

function isItem(kind: Kind, item: unknown): item is Item {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return false
  const key = (item as JsonObject)[KINDS[kind].key]
  return typeof key === 'string' && key !== ''
}

function isLacking(error: unknown): boolean {
  if (!(error instanceof McpError)) return false
  if (error.rpc !== undefined) return error.rpc.code === METHOD_NOT_FOUND
  return error.code === 'caller.unknown_method' || error.code === 'caller.unsupported_feature'
}

const METHOD_NOT_FOUND = -32601
/** Of one list; those of a hundred tools say enough. */
const MAX_WARNINGS = 100

/** On whose behalf the gateway calls by itself. */
export type Behalf = Pick<Call, 'principal' | 'downstream'> & { readonly meta?: Meta }

const NOBODY: Behalf = Object.freeze({
  principal: ANONYMOUS,
  downstream: { revision: NEWEST.name, client: undefined, capabilities: {}, session: undefined },
})

/** Is told which tools can become tasks, where servers say so. */
const KNOWS_TASKS: Behalf = Object.freeze({
  principal: NOBODY.principal,
  downstream: { ...NOBODY.downstream, capabilities: { extensions: { [TASKS]: { core: true } } } },
})

/** A call of the gateway's own. */
export function toOwnCall(
  method: string,
  params: JsonObject,
  signal: AbortSignal,
  interim = NO_INTERIM,
  { principal, downstream, meta = {} }: Behalf = NOBODY,
): Call {
  return {
    method,
    params,
    meta,
    principal,
    downstream,
    cancellation: cancellationOf(signal),
    deadline: undefined,
    trace: undefined,
    interim,
  }
}
