import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import type { Result } from '../protocol/call.ts'

/** A list that comes in pages: iterate over the pages, or take all the items at once. */
export interface Listing<Page extends Result, Item> extends AsyncIterable<Page> {
  /** @throws {McpError} `upstream.protocol` for a list whose pages hold more than 128 Mi characters of JSON together */
  all(): Promise<Item[]>
}

/**
 * @param member the member of a page that holds the items
 * @param request asks for one page
 */
export function createListing<Page extends Result, Item>(
  member: string,
  request: (params: JsonObject) => Promise<Page>,
): Listing<Page, Item> {
  async function* pages(): AsyncGenerator<Page, void> {
    const seen = new Set<unknown>()
    let params: JsonObject = {}
    for (;;) {
      const page = await request(params)
      yield page
      // "" is a cursor like any other: only its absence ends a list.
      const cursor = page.nextCursor
      if (cursor === undefined || cursor === null) return
      if (seen.has(cursor) || seen.size >= MAX_PAGES) {
        throw new McpError('upstream.protocol', `Cannot list "${member}": the pages of the server do not end`)
      }
      seen.add(cursor)
      params = { cursor }
    }
  }
  return {
    [Symbol.asyncIterator]: pages,
    async all() {
      const items: Item[] = []
      let size = 0
      let last: unknown
      for await (const page of pages()) {
        const some = page[member]
        // One page is bounded as any answer is: only of several somebody has to count.
        if (last !== undefined) size += JSON.stringify(last).length
        if (size > MAX_SIZE) {
          throw new McpError('upstream.protocol', `Cannot list "${member}": it is too large to be taken at once`)
        }
        last = some
        if (Array.isArray(some)) for (const item of some) items.push(item)
      }
      return items
    },
  }
}

/** Characters of JSON of all pages but the last. */
const MAX_SIZE = 128 * 1024 * 1024
/** Pages of one list. */
const MAX_PAGES = 10_000
