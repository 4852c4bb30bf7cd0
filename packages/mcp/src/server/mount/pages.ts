import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Result } from '../../protocol/call.ts'

/**
 * One page of a list that is made anew for each caller. A cursor names the last thing of the page before and its place:
 * after the list changed it goes on behind that thing or, when that is gone, at its place.
 * @param key the member that names each item
 */
export function toPage(
  listKey: string,
  key: string,
  items: readonly JsonObject[],
  size: number,
  cursor: unknown,
): Result {
  const from = cursor === undefined ? 0 : toStart(listKey, key, items, cursor)
  const page = items.slice(from, from + size)
  const next = from + page.length
  if (next >= items.length) return { [listKey]: page }
  return { [listKey]: page, nextCursor: btoa(encodeURIComponent(JSON.stringify([listKey, next, page.at(-1)?.[key]]))) }
}

function toStart(listKey: string, key: string, items: readonly JsonObject[], cursor: unknown): number {
  const parts = typeof cursor === 'string' && cursor.length <= MAX_CURSOR ? tryDecode(cursor) : undefined
  const [list, place, name] = Array.isArray(parts) ? (parts as readonly unknown[]) : []
  if (list !== listKey || !Number.isSafeInteger(place) || Number(place) < 0 || typeof name !== 'string') {
    throw new McpError('caller.invalid_params', `Cannot go on with a list of ${listKey}: the cursor is not one of ours`)
  }
  const before = items.findIndex((item) => item[key] === name)
  return before === -1 ? Math.min(Number(place), items.length) : before + 1
}

function tryDecode(cursor: string): unknown {
  try {
    return JSON.parse(decodeURIComponent(atob(cursor)))
  } catch {
    return undefined
  }
}

const MAX_CURSOR = 8_192
