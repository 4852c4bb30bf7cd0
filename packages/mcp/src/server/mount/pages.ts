import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Result } from '../../protocol/call.ts'
import { fromPlaceCursor, toPlaceCursor } from '../place-cursor.ts'

/**
 * One page of a list that is made anew for each caller.
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
  return { [listKey]: page, nextCursor: toPlaceCursor(listKey, next, page.at(-1)?.[key]) }
}

function toStart(listKey: string, key: string, items: readonly JsonObject[], cursor: unknown): number {
  const keys = items.map((item) => item[key])
  const start = fromPlaceCursor(listKey, keys, cursor)
  if (start !== undefined) return start
  throw new McpError('caller.invalid_params', `Cannot go on with a list of ${listKey}: the cursor is not one of ours`)
}
