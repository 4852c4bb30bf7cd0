import { type JsonObject, keep, McpError, type Result } from '@crosspoint/mcp'

/** One list of a view, cut into pages when it changed, so that asking for it costs a look-up. */
export interface Pages {
  /**
   * The same frozen object for the same page until the list changes: an edge writes it once for each revision and
   * keeps the bytes.
   * @param cursor as a caller sent it; undefined asks for the first page
   * @throws {McpError} `caller.invalid_params` for a cursor that is none of ours
   */
  page(cursor: unknown): Result
}

/**
 * A cursor names the last thing of the page before it and its place. After the list changed it goes on behind that
 * thing, or, when that is gone, at its place.
 * @param keys in the order of `items`, unique
 * @param hints what each page says of how long it holds
 */
export function toPages(
  listKey: string,
  items: readonly JsonObject[],
  keys: readonly string[],
  size: number,
  hints: JsonObject = {},
): Pages {
  const ready = new Map<number, Result>()
  const places = new Map<string, number>()
  for (const [at, key] of keys.entries()) places.set(key, at)

  function from(start: number): Result {
    const end = start + size
    const page = items.slice(start, end)
    const more = end < items.length ? { nextCursor: toCursor(listKey, end - 1, keys) } : {}
    return { [listKey]: page, ...more, ...hints }
  }
  // Pages that begin elsewhere, after a change, are asked for once and not kept.
  for (let start = 0; start === 0 || start < items.length; start += size) ready.set(start, keep(from(start)))

  return {
    page(cursor) {
      if (cursor === undefined) return ready.get(0) ?? from(0)
      const { place, key } = fromCursor(listKey, cursor)
      const start = Math.min((places.get(key) ?? place - 1) + 1, items.length)
      return ready.get(start) ?? from(start)
    },
  }
}

function toCursor(listKey: string, place: number, keys: readonly string[]): string {
  return btoa(encodeURIComponent(JSON.stringify([listKey, place, keys[place]])))
}

function fromCursor(listKey: string, cursor: unknown): { readonly place: number; readonly key: string } {
  const parts = typeof cursor === 'string' ? tryDecode(cursor) : undefined
  if (Array.isArray(parts)) {
    const [list, place, key] = parts as unknown[]
    if (list === listKey && Number.isSafeInteger(place) && Number(place) >= 0 && typeof key === 'string') {
      return { place: Number(place), key }
    }
  }
  throw new McpError('caller.invalid_params', `Cannot go on with a list of ${listKey}: the cursor is not one of ours`)
}

function tryDecode(cursor: string): unknown {
  try {
    return JSON.parse(decodeURIComponent(atob(cursor)))
  } catch {
    return undefined
  }
}
