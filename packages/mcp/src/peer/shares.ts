import type { Principal } from '../protocol/call.ts'
import { type Bounds, Tally, toOwner } from './tally.ts'

/** Who has how many of a thing of which there are only so many: nobody may take all of them. */
export class Shares {
  /** How many one principal may have. */
  readonly most: number
  readonly #tally = new Tally()
  readonly #bounds: Bounds

  constructor(most: number) {
    this.most = most
    this.#bounds = { all: UNBOUNDED, perOwner: { ...UNBOUNDED, count: most } }
  }

  hasRoomFor(principal: Principal): boolean {
    return this.#tally.excess(toOwner(principal), ONE, this.#bounds) === undefined
  }

  add(principal: Principal): void {
    this.#tally.add(toOwner(principal), ONE)
  }

  remove(principal: Principal): void {
    this.#tally.add(toOwner(principal), ONE_LESS)
  }
}

/** The share of one principal that nobody has set: a part of all there are, and never so few that it is of no use. */
export function toShare(all: number, part: number): number {
  return Math.min(all, Math.max(Math.ceil(all * part), LEAST))
}

/** The part of all listeners that one principal may have, unless told otherwise. */
export const LISTENERS_OF_ONE = 1 / 4
const UNBOUNDED = { count: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY }
const ONE = { count: 1, bytes: 0 }
const ONE_LESS = { count: -1, bytes: 0 }
const LEAST = 64
