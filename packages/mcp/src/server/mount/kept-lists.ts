import { McpError } from '../../errors.ts'
import type { Clock } from '../../peer/clock.ts'
import type { Marks } from '../../protocol/trail.ts'
import type { Item, Kind } from './kinds.ts'

type Items = readonly Item[]

interface Kept {
  readonly items: Promise<Items>
  readonly at: number
  /** The same, once it is there. */
  settled: Items | undefined
  /** The list without what leads through servers behind the mount, by their ids. */
  readonly cuts: Map<string, Promise<Items>>
}

export interface KeptListsOptions {
  readonly clock: Clock
  /** Of the server that keeps them. */
  readonly id: string
  /** Of the servers behind the mount. */
  readonly marks: Marks
  /** Whether changes of a list are told; others are asked for again after a minute. */
  readonly isTold: (kind: Kind | 'discover') => boolean
}

/**
 * What one connection shows everybody, asked for once, on nobody's behalf: no caller, and no trail that a caller came
 * with, decides whether something is asked for or what is kept for others.
 *
 * Callers that came through a server behind the mount get a list of their own, without what leads back to them:
 * servers that mount each other would otherwise list each other in each other for ever. Which servers those are the
 * mounted one says ({@link Marks}); any other trail gets what everybody gets. There is one such list for each set of
 * them, asked for once too, and few of them: they can be wanted only by who was given the ids.
 */
export class KeptLists {
  readonly #options: KeptListsOptions
  readonly #kept = new Map<Kind | 'discover', Kept>()
  /** Asked for on behalf of callers with trails before there was anything to keep. */
  readonly #early = new Map<string, Promise<Items>>()

  constructor(options: KeptListsOptions) {
    this.#options = options
  }

  /** What is there without asking. */
  peek(kind: Kind | 'discover'): Items | undefined {
    return this.#fresh(kind)?.settled
  }

  before(kind: Kind): Promise<Items | undefined> {
    return Promise.resolve(this.#kept.get(kind)?.items).catch(() => undefined)
  }

  forget(kind: Kind | 'discover'): void {
    this.#kept.delete(kind)
  }

  clear(): void {
    this.#kept.clear()
  }

  /**
   * @param trail ends with the server itself
   * @param ask asks the mounted server, with a trail
   */
  async list(
    kind: Kind | 'discover',
    trail: readonly string[],
    ask: (trail: readonly string[]) => Promise<Items>,
  ): Promise<Items> {
    const { id, marks } = this.#options
    const kept = this.#fresh(kind) ?? this.#ask(kind, () => ask([id]))
    const others = trail.slice(0, -1)
    if (others.length === 0 || kind === 'discover') return kept.items
    if (kept.settled === undefined) {
      // To wait for it might be to wait for the caller, who waits for us.
      const early = this.#askEarly(kind, trail, ask)
      if (early !== undefined) return early
    }
    const all = await kept.items
    const related = await marks.related(others)
    if (related.length === 0) return all
    const key = [...related].sort().join(' ')
    const known = kept.cuts.get(key)
    if (known !== undefined) return known
    if (kept.cuts.size >= MAX_CUTS) {
      throw new McpError('policy.limit', `Cannot list without what leads back: ${MAX_CUTS} others want that already`)
    }
    const cut = Promise.resolve().then(() => ask([...related, id]))
    kept.cuts.set(key, cut)
    cut.catch(() => kept.cuts.delete(key))
    return cut
  }

  #fresh(kind: Kind | 'discover'): Kept | undefined {
    const { clock, isTold } = this.#options
    const kept = this.#kept.get(kind)
    return kept !== undefined && (isTold(kind) || clock.now() - kept.at < KEEP_MS) ? kept : undefined
  }

  #ask(kind: Kind | 'discover', ask: () => Promise<Items>): Kept {
    // Not before it is kept: a server in this process may ask us for it while it is asked.
    const items = Promise.resolve().then(ask)
    const kept: Kept = { items, at: this.#options.clock.now(), settled: undefined, cuts: new Map() }
    this.#kept.set(kind, kept)
    items.then(
      (settled) => {
        kept.settled = settled
      },
      () => {
        if (this.#kept.get(kind) === kept) this.#kept.delete(kind)
      },
    )
    return kept
  }

  /** Undefined where too many ask: they wait. */
  #askEarly(
    kind: Kind | 'discover',
    trail: readonly string[],
    ask: (trail: readonly string[]) => Promise<Items>,
  ): Promise<Items> | undefined {
    const key = [kind, ...trail].join(' ')
    const known = this.#early.get(key)
    if (known !== undefined || this.#early.size >= MAX_EARLY) return known
    const early = Promise.resolve()
      .then(() => ask(trail))
      .finally(() => this.#early.delete(key))
    this.#early.set(key, early)
    return early
  }
}

/** How long a list whose changes are not told is kept. */
export const KEEP_MS = 60_000
/** Lists of one kind without what leads back. */
const MAX_CUTS = 16
/** Requests on behalf of callers with trails while a list is first asked for. */
const MAX_EARLY = 8
