import { McpError } from '../errors.ts'
import type { Call, Meta, Result } from './call.ts'

/**
 * Which servers that have others behind them a call came through, mounts and gateways alike, in `_meta`: it travels with
 * the call from process to process, so that servers that lead to each other notice it wherever they run.
 *
 * What it can prove: anybody may write one, and so it says nothing about who calls. The one thing nobody makes up is
 * the id of this very server, which is random and given only to those it mounts: a trail that names it comes from one
 * of them, and the call would go round. Ids of others prove nothing by themselves; they matter only where a server
 * behind a mount owned up to them before (see {@link toMark}). So a trail of fancy has no effect but on its own call,
 * which goes less far the longer the trail is.
 */
export const TRAIL = 'crosspoint/trail'

/**
 * Marks of the servers with mounts that a list was made of, in `_meta` of its result, for callers that came with a
 * trail. A mark stands for an id and does not give it away: who sees one cannot make a trail of it.
 */
const MARKS = 'crosspoint/marks'

/**
 * The trail of a call that leaves this server. What cannot be an id is left out of it.
 * @param id of this server
 * @throws {McpError} `upstream.protocol` where the call has been here before, or in eight servers already
 */
export function toTrail(call: Pick<Call, 'method' | 'meta'>, id: string): readonly string[] {
  const given = call.meta[TRAIL]
  if (!Array.isArray(given)) return [id]
  if (given.length >= MAX_HOPS) {
    const message = `Cannot go on with "${call.method}": it went through ${MAX_HOPS} servers with others behind them, which is the most`
    throw new McpError('upstream.protocol', message)
  }
  if (given.includes(id)) {
    const message = `Cannot go on with "${call.method}": it was here before, as servers lead to each other in a circle`
    throw new McpError('upstream.protocol', message)
  }
  return [...new Set(given.filter(isId)), id]
}

export function withTrail(meta: Meta, trail: readonly string[]): Meta {
  return { ...meta, [TRAIL]: trail }
}

/** Whether the caller says that it came through another server. */
export function hasTrail({ meta }: Pick<Call, 'meta'>): boolean {
  return Array.isArray(meta[TRAIL])
}

/** Half of a SHA-256: two servers will not share one, and no id can be found to fit it. */
export async function toMark(id: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`${TRAIL} ${id}`))
  return [...new Uint8Array(digest, 0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

export function withMarks(result: Result, marks: Iterable<string>): Result {
  return { ...result, _meta: { ...result._meta, [MARKS]: [...marks].slice(0, MAX_MARKS) } }
}

/** Servers behind one mount, as far as they own up to it. */
export class Marks {
  readonly #known = new Set<string>()

  /** Reads those of a result. Too many at once are cut; too many over time push out the oldest: ids change with restarts. */
  note({ _meta }: Result): void {
    const given = _meta?.[MARKS]
    if (!Array.isArray(given)) return
    for (const mark of given.slice(0, MAX_MARKS)) {
      if (typeof mark !== 'string' || !MARK.test(mark)) continue
      this.#known.delete(mark)
      this.#known.add(mark)
    }
    for (const mark of this.#known) {
      if (this.#known.size <= MAX_MARKS) break
      this.#known.delete(mark)
    }
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#known.values()
  }

  /** Those ids of a trail that are behind the mount: a list from there must be without what leads through them. */
  async related(ids: readonly string[]): Promise<readonly string[]> {
    if (this.#known.size === 0) return []
    const marks = await Promise.all(ids.map(toMark))
    return ids.filter((_, at) => this.#known.has(marks[at] ?? ''))
  }
}

function isId(hop: unknown): hop is string {
  return typeof hop === 'string' && ID.test(hop)
}

const MAX_HOPS = 8
const MAX_MARKS = 64
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const MARK = /^[0-9a-f]{32}$/
