import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { isObject } from '../../jsonrpc/members.ts'
import type { Call, Handle } from '../../protocol/call.ts'
import type { Marks } from '../../protocol/trail.ts'
import { type Item, KINDS, type Kind } from './kinds.ts'

/**
 * Reads all pages of a list; what has no key, or one that was there before, is left out. A method the server does not
 * have gives an empty list. Ends at 10,000 entries.
 * @param call its method and parameters are replaced
 * @param marks learns which servers it was made of
 */
export async function listAll(handle: Handle, kind: Kind, call: Call, marks?: Marks): Promise<readonly Item[]> {
  const { method, listKey, key } = KINDS[kind]
  const items = new Map<string, Item>()
  const seen = new Set<unknown>()
  let params: JsonObject = {}
  for (let page = 0; page < MAX_PAGES; page++) {
    const result = await handle({ ...call, method, params }).catch((error: unknown) => {
      if (page === 0 && isLacking(error)) return { [listKey]: [] }
      throw error
    })
    marks?.note(result)
    const { [listKey]: listed, nextCursor } = result as JsonObject // a result is an object of unknown members
    if (page === 0 && nextCursor === undefined && isWhole(listed)) return listed
    for (const item of Array.isArray(listed) ? (listed as readonly unknown[]) : []) {
      if (items.size === MAX_ITEMS) return [...items.values()]
      const name = isObject(item) ? item[key] : undefined
      if (isObject(item) && typeof name === 'string' && name !== '' && !items.has(name)) items.set(name, item)
    }
    // "" is a cursor like any other: only its absence ends a list.
    if (page === 0 && nextCursor === undefined && Array.isArray(listed) && items.size === listed.length) {
      WHOLE.add(listed)
      return listed as readonly Item[] // each of them was looked at
    }
    if (typeof nextCursor !== 'string' || seen.has(nextCursor)) break
    seen.add(nextCursor)
    params = { cursor: nextCursor }
  }
  return [...items.values()]
}

/** A server in this process gives the same list until it changes: it is looked through once. */
const WHOLE = new WeakSet<object>()

function isWhole(listed: unknown): listed is readonly Item[] {
  return typeof listed === 'object' && listed !== null && WHOLE.has(listed)
}

/** What a server says that does not have a method. */
export function isLacking(error: unknown): boolean {
  if (!(error instanceof McpError)) return false
  if (error.rpc !== undefined) return error.rpc.code === METHOD_NOT_FOUND
  return error.code === 'caller.unknown_method' || error.code === 'caller.unsupported_feature'
}

const METHOD_NOT_FOUND = -32601
const MAX_PAGES = 1_000
const MAX_ITEMS = 10_000
