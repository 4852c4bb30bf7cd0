/**
 * Cursors of lists that differ from caller to caller. One names the last thing of the page before and its place among
 * those the caller sees: after the list changed it goes on behind that thing or, when that is gone, at its place. So
 * there is nothing in it that the caller has not seen.
 */
export function toPlaceCursor(list: string, place: number, key: unknown): string {
  return btoa(encodeURIComponent(JSON.stringify([list, place, key])))
}

/** Where the page begins; undefined for what is no cursor of this list. */
export function fromPlaceCursor(list: string, keys: readonly unknown[], cursor: unknown): number | undefined {
  const found = parsePlaceCursor(list, cursor)
  if (found === undefined) return undefined
  const before = keys.indexOf(found.key)
  return before === -1 ? Math.min(found.place, keys.length) : before + 1
}

/** What a cursor says, to be known before any work is done for it; undefined for what is no cursor of this list. */
export function parsePlaceCursor(
  list: string,
  cursor: unknown,
): { readonly place: number; readonly key: string } | undefined {
  const parts = typeof cursor === 'string' && cursor.length <= MAX_CURSOR ? tryDecode(cursor) : undefined
  const [of, place, key] = Array.isArray(parts) ? (parts as readonly unknown[]) : []
  if (of !== list || typeof place !== 'number' || typeof key !== 'string') return undefined
  return Number.isSafeInteger(place) && place >= 0 ? { place, key } : undefined
}

function tryDecode(cursor: string): unknown {
  try {
    return JSON.parse(decodeURIComponent(atob(cursor)))
  } catch {
    return undefined
  }
}

const MAX_CURSOR = 8_192
