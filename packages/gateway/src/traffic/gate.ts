import type { Clock } from '@crosspoint/mcp'
import type { CallClass } from '../config/model-traffic.ts'

/** How many may be in at once, and how many may wait for how long. */
export interface GateBounds {
  readonly max: number
  readonly maxWaiting: number
  readonly maxWaitMs: number
}

export interface Request {
  readonly class: CallClass
  /** Those of one class take turns. */
  readonly owner: string
  /** A point on the clock after which nobody waits for the answer. */
  readonly deadline: number | undefined
}

/** Why one is not let in, and in how many milliseconds it might be. */
export interface Shed {
  readonly why: 'full' | 'too-late' | 'displaced'
  readonly retryAfterMs: number
}

/** One that waits. Told once: undefined is that it is in. */
interface Waiter extends Request {
  readonly tell: (shed: Shed | undefined) => void
}

/**
 * So many at once, and the others in line. Classes are served in proportion to their weights, so that none waits for ever;
 * owners of one class take turns, so that nobody stands in line behind all calls of another. Who cannot be served in time
 * is told at once.
 */
export class Gate {
  bounds: GateBounds
  shed = 0
  /** How long those waited together that came in from the line, in milliseconds. */
  waitedMs = 0
  readonly #clock: Clock
  readonly #lines: Readonly<Record<CallClass, Line>> = {
    interactive: new Line(),
    normal: new Line(),
    batch: new Line(),
  }
  #inside = 0
  /** How long those that left were in, the latest counting most; undefined until one left. */
  #averageMs: number | undefined

  constructor(bounds: GateBounds, clock: Clock) {
    this.bounds = bounds
    this.#clock = clock
  }

  get inside(): number {
    return this.#inside
  }

  get waiting(): number {
    const { interactive, normal, batch } = this.#lines
    return interactive.size + normal.size + batch.size
  }

  /**
   * @param tell called once, later or never: not where this returns
   * @returns undefined where it waits, with a way to leave the line
   */
  enter(request: Request, tell: Waiter['tell']): 'in' | Shed | (() => void) {
    if (this.#inside < this.bounds.max && this.waiting === 0) {
      this.#inside++
      return 'in'
    }
    const waitMs = this.#waitFor(request.class)
    const patienceMs = Math.min(
      this.bounds.maxWaitMs,
      (request.deadline ?? Number.POSITIVE_INFINITY) - this.#clock.now(),
    )
    if (waitMs > patienceMs || patienceMs <= 0) return this.#refuse('too-late', waitMs)
    if (this.waiting >= this.bounds.maxWaiting && !this.#makeRoom(request)) return this.#refuse('full', waitMs)
    const line = this.#lines[request.class]
    const since = this.#clock.now()
    const timer = this.#clock.setTimer(patienceMs, () => {
      if (line.remove(waiter)) tell(this.#refuse('too-late', this.#waitFor(request.class)))
    })
    const waiter: Waiter = {
      ...request,
      tell: (shed) => {
        timer.cancel()
        if (shed === undefined) this.waitedMs += this.#clock.now() - since
        tell(shed)
      },
    }
    line.push(waiter)
    return () => {
      timer.cancel()
      line.remove(waiter)
    }
  }

  /** @param ms how long it was in */
  leave(ms: number): void {
    this.#averageMs = this.#averageMs === undefined ? ms : this.#averageMs * (1 - NEWEST) + ms * NEWEST
    this.#inside--
    this.admit()
  }

  /** Lets in whom there is room for. */
  admit(): void {
    while (this.#inside < this.bounds.max) {
      const next = this.#next()
      if (next === undefined) return
      this.#inside++
      next.tell(undefined)
    }
  }

  /** Whose turn it is: by weight among the classes that have anybody. */
  #next(): Waiter | undefined {
    let best: Line | undefined
    let total = 0
    for (const one of CLASSES) {
      const line = this.#lines[one]
      if (line.size === 0) {
        line.credit = 0
        continue
      }
      total += WEIGHTS[one]
      line.credit += WEIGHTS[one]
      if (best === undefined || line.credit > best.credit) best = line
    }
    if (best === undefined) return undefined
    best.credit -= total
    return best.shift()
  }

  /** How long one that comes now would wait, as far as can be told by those before; 0 until that is known. */
  #waitFor(of: CallClass): number {
    const ahead = CLASSES.slice(0, CLASSES.indexOf(of) + 1).reduce((sum, one) => sum + this.#lines[one].size, 0)
    return ((ahead + 1) * (this.#averageMs ?? 0)) / this.bounds.max
  }

  /** One that is less urgent gives up its place, or one of an owner who has several more. */
  #makeRoom({ class: of, owner }: Request): boolean {
    for (const one of [...CLASSES].reverse()) {
      const line = this.#lines[one]
      const victim = one === of ? line.takeFromLargest(owner) : line.takeFromLargest()
      if (victim !== undefined) {
        victim.tell(this.#refuse('displaced', this.#waitFor(one)))
        return true
      }
      if (one === of) return false
    }
    return false
  }

  #refuse(why: Shed['why'], waitMs: number): Shed {
    this.shed++
    return { why, retryAfterMs: Math.max(waitMs, MIN_RETRY_MS) }
  }
}

/** Those of one class that wait. */
class Line {
  size = 0
  credit = 0
  /** In the order of their turns. */
  readonly #byOwner = new Map<string, Waiter[]>()

  push(waiter: Waiter): void {
    const own = this.#byOwner.get(waiter.owner)
    if (own === undefined) this.#byOwner.set(waiter.owner, [waiter])
    else own.push(waiter)
    this.size++
  }

  shift(): Waiter | undefined {
    for (const [owner, own] of this.#byOwner) {
      const first = own.shift()
      this.#byOwner.delete(owner)
      if (own.length > 0) this.#byOwner.set(owner, own)
      if (first === undefined) continue
      this.size--
      return first
    }
    return undefined
  }

  remove(waiter: Waiter): boolean {
    const own = this.#byOwner.get(waiter.owner) ?? []
    const at = own.indexOf(waiter)
    if (at === -1) return false
    own.splice(at, 1)
    if (own.length === 0) this.#byOwner.delete(waiter.owner)
    this.size--
    return true
  }

  /** @param against only of an owner who has two more than this one. Default: of whoever has most */
  takeFromLargest(against?: string): Waiter | undefined {
    let largest: readonly Waiter[] = []
    for (const own of this.#byOwner.values()) if (own.length > largest.length) largest = own
    const least = against === undefined ? 1 : (this.#byOwner.get(against)?.length ?? 0) + 2
    const victim = largest.length < least ? undefined : largest[largest.length - 1]
    if (victim !== undefined) this.remove(victim)
    return victim
  }
}

/** The most urgent first. */
const CLASSES = ['interactive', 'normal', 'batch'] as const satisfies readonly CallClass[]
/** Of 21 turns while all of them wait. */
const WEIGHTS: Readonly<Record<CallClass, number>> = { interactive: 16, normal: 4, batch: 1 }
/** How much the latest counts. */
const NEWEST = 0.2
const MIN_RETRY_MS = 1_000
