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
  const parts = typeof cursor === 'string' && cursor.length <= MAX_CURSOR ? tryDecode(cursor) : undefined
  const [of, place, key] = Array.isArray(parts) ? (parts as readonly unknown[]) : []
  if (of !== list || !Number.isSafeInteger(place) || Number(place) < 0 || typeof key !== 'string') return undefined
  const before = keys.indexOf(key)
  return before === -1 ? Math.min(Number(place), keys.length) : before + 1
}

function tryDecode(cursor: string): unknown {
  try {
    return JSON.parse(decodeURIComponent(atob(cursor)))
  } catch {
    return undefined
  }
}

const MAX_CURSOR = 8_192
